// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/entente-project/entente/stats"
)

// script is R code that does an analysis again. Each script calls its table dat
// and its result fit.
type script struct {
	b strings.Builder
}

func (s *script) line(format string, a ...any) {
	fmt.Fprintf(&s.b, format+"\n", a...)
}

func (s *script) String() string { return s.b.String() }

// quoted writes text for R.
func quoted(text string) string {
	return strconv.Quote(text)
}

// named writes the name of a column for R.
func named(name string) string {
	for i, r := range name {
		if r == '.' || r == '_' && i > 0 || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' && i > 0 {
			continue
		}
		return "`" + name + "`"
	}
	return name
}

func vector(names []string) string {
	var q []string
	for _, n := range names {
		q = append(q, quoted(n))
	}
	return "c(" + strings.Join(q, ", ") + ")"
}

// read writes what reads the table.
// add puts the rows of another file behind those that are read, and marks them.
func (s *script) add(src Source, file string) {
	s.line("first. <- dat; first.$added. <- FALSE")
	src.Data = file
	s.read(src)
	s.line("dat$added. <- TRUE; dat <- rbind(first., dat[, names(first.)])")
}

func (s *script) read(src Source, packages ...string) {
	for _, p := range packages {
		s.line("library(%s)", p)
	}
	file := src.Data
	switch {
	case file == "-":
		s.line(`dat <- read.csv(file("stdin"), check.names = FALSE)`)
	case strings.HasSuffix(strings.ToLower(file), ".parquet"):
		s.line("dat <- as.data.frame(arrow::read_parquet(%s))", quoted(file))
	default:
		args := []string{quoted(file)}
		fn := "read.csv"
		if src.Delimiter != "" || src.Decimal != "" {
			fn = "read.table"
			args = append(args, "header = TRUE", `quote = "\""`)
			if d := src.Delimiter; d != "" {
				if d == "tab" {
					d = "\t"
				}
				args = append(args, "sep = "+quoted(d))
			}
			if src.Decimal != "" {
				args = append(args, "dec = "+quoted(src.Decimal))
			}
		}
		args = append(args, "check.names = FALSE")
		na := src.NA
		if na == nil {
			na = stats.DefaultNA()
		}
		args = append(args, "na.strings = "+vector(na))
		s.line("dat <- %s(%s)", fn, strings.Join(args, ", "))
	}
	for _, f := range src.Factor {
		s.line("dat[[%s]] <- factor(dat[[%[1]s]])", quoted(f))
	}
	for _, k := range src.Keep {
		name, list, _ := strings.Cut(k, "=")
		values := strings.Split(list, ",")
		for i := range values {
			values[i] = strings.TrimSpace(values[i])
		}
		s.line("dat <- dat[which(dat[[%s]] %%in%% %s), ]", quoted(strings.TrimSpace(name)), vector(values))
	}
}

func (c *MetaCommand) code() (string, error) {
	kind, names, err := c.kind()
	if err != nil {
		return "", err
	}
	measure, err := c.chosen(kind)
	if err != nil {
		return "", err
	}
	s := &script{}
	packages := []string{"metafor"}
	if c.Cluster != "" && c.Rve == "none" && c.Robust == "CR2" {
		packages = append(packages, "clubSandwich")
	}
	if c.Rve != "none" {
		packages = append(packages, "robumeta")
	}
	s.read(c.Source, packages...)
	if c.Add != "" {
		s.add(c.Source, c.Add)
	}
	c.effectCode(s, kind, measure, names)
	if c.RelX != "" || c.RelY != "" {
		product := "1"
		for _, n := range []string{c.RelX, c.RelY} {
			if n != "" {
				product += " * dat$" + named(n)
			}
		}
		s.line("dat$yi <- dat$yi / sqrt(%s); dat$vi <- dat$vi / (%[1]s)", product)
	}
	need := []string{"yi", "vi"}
	if c.Mods != "" {
		f, err := oneSided(c.Mods)
		if err != nil {
			return "", err
		}
		need = append(need, f.Variables()...)
	}
	s.line("dat <- dat[complete.cases(dat[, %s]), ]", vector(need))
	if c.Add != "" {
		s.line("all. <- dat; dat <- dat[!dat$added., ]")
	}
	c.modelCode(s)
	c.showCode(s, measure)
	if c.Add != "" {
		s.line("living <- lapply(which(all.$added.), function(i) update(fit, data = all.[seq_len(i), ]))")
		s.line("print(living)")
	}
	return s.String(), nil
}

// effectCode writes what computes the effect sizes.
func (c *MetaCommand) effectCode(s *script, kind, measure string, names map[string]string) {
	col := func(flag string) string { return "dat$" + named(names[flag]) }
	esc := func(args string) {
		s.line("dat <- escalc(measure = %s, %s, data = dat, append = TRUE, var.names = c(\"yi\", \"vi\"))", quoted(measure), args)
	}
	arg := func(pairs ...string) string {
		var out []string
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, pairs[i]+" = "+named(names[pairs[i+1]]))
		}
		return strings.Join(out, ", ")
	}
	sign := ""
	if names["sign"] != "" {
		sign = "sign(" + col("sign") + ") * "
	}
	switch kind {
	case "yi":
		s.line("dat$yi <- %s", col("yi"))
		if names["sei"] != "" {
			s.line("dat$vi <- %s^2", col("sei"))
		} else {
			s.line("dat$vi <- %s", col("vi"))
		}
	case "means":
		esc(arg("m1i", "m1", "sd1i", "sd1", "n1i", "n1", "m2i", "m2", "sd2i", "sd2", "n2i", "n2") + fmt.Sprintf(", vtype = %s", quoted(c.Vtype)))
	case "pairs":
		sd2 := ", sd2i = " + named(names["sd2"])
		if names["sd2"] == "" {
			sd2 = ", sd2i = " + named(names["sd1"])
		}
		esc(arg("m1i", "m1", "sd1i", "sd1", "m2i", "m2", "ri", "r12", "ni", "n") + sd2)
	case "table":
		if names["bi"] != "" {
			esc(arg("ai", "ai", "bi", "bi", "ci", "ci", "di", "di"))
		} else {
			esc(arg("ai", "ai", "n1i", "n1", "ci", "ci", "n2i", "n2"))
		}
	case "r":
		switch {
		case names["r"] != "":
			s.line("dat$ri. <- %s", col("r"))
		case names["t"] != "":
			s.line("dat$ri. <- %s / sqrt(%[1]s^2 + %s - 2)", col("t"), col("n"))
		case names["f"] != "":
			s.line("dat$ri. <- %ssqrt(%s / (%[2]s + %[3]s - 2))", sign, col("f"), col("n"))
		case names["chi2"] != "":
			s.line("dat$ri. <- %ssqrt(%s / %s)", sign, col("chi2"), col("n"))
		default:
			s.line("t. <- qt(1 - %s / 2, %s - 2); dat$ri. <- %[3]st. / sqrt(t.^2 + %[2]s - 2)", col("p"), col("n"), sign)
		}
		esc("ri = ri., ni = " + named(names["n"]))
	case "d":
		n1, n2 := col("n1"), col("n2")
		switch {
		case names["d"] != "":
			s.line("dat$d. <- %s", col("d"))
		case names["t"] != "":
			s.line("dat$d. <- %s * sqrt(1 / %s + 1 / %s)", col("t"), n1, n2)
		case names["f"] != "":
			s.line("dat$d. <- %ssqrt(%s * (1 / %s + 1 / %s))", sign, col("f"), n1, n2)
		default:
			s.line("dat$d. <- %sqt(1 - %s / 2, %s + %s - 2) * sqrt(1 / %[3]s + 1 / %[4]s)", sign, col("p"), n1, n2)
		}
		esc(fmt.Sprintf("di = d., n1i = %s, n2i = %s, vtype = %s", named(names["n1"]), named(names["n2"]), quoted(c.Vtype)))
	}
}

// modelCode writes the fit. The tolerances are tighter than R's own: with those it
// stops in the fourth or fifth digit.
func (c *MetaCommand) modelCode(s *script) {
	mods := ""
	if c.Mods != "" {
		mods = ", mods = ~ " + strings.TrimLeft(c.Mods, "~ ")
	}
	test := ""
	if c.Test != "z" {
		test = ", test = " + quoted(c.Test)
	}
	level := fmt.Sprintf(", level = %g", 100*c.Level)
	switch {
	case c.Rve != "none":
		f := "1"
		if c.Mods != "" {
			f = strings.TrimLeft(c.Mods, "~ ")
		}
		rho := .8
		if c.Rho != nil {
			rho = *c.Rho
		}
		s.line("fit <- robu(yi ~ %s, data = dat, studynum = %s, var.eff.size = vi, rho = %g, small = TRUE, modelweights = %s)", f, named(c.Cluster), rho, quoted(strings.ToUpper(c.Rve)))
	case c.Levels != "":
		var levels []string
		for _, l := range strings.Split(c.Levels, "/") {
			levels = append(levels, named(strings.TrimSpace(l)))
		}
		v := "vi"
		if c.Rho != nil {
			within := levels[0]
			if c.Within != "" {
				within = named(c.Within)
			}
			s.line("V <- vcalc(vi, cluster = %s, obs = seq_len(nrow(dat)), data = dat, rho = %g)", within, *c.Rho)
			v = "V"
		}
		fixed := ""
		if len(c.Fix) > 0 {
			fixed = ", sigma2 = " + c.fixedCode(levels)
		}
		s.line("fit <- rma.mv(yi, %s%s, random = ~ 1 | %s, data = dat, method = %s%s%s%s, control = list(optimizer = \"optim\", optmethod = \"Nelder-Mead\", reltol = 1e-15, maxit = 20000))", v, mods, strings.Join(levels, "/"), quoted(strings.ToUpper(c.Method)), test, fixed, level)
	default:
		tau := ""
		if c.Tau2 != nil {
			tau = fmt.Sprintf(", tau2 = %g", *c.Tau2)
		}
		s.line("fit <- rma(yi, vi%s, data = dat, method = %s%s%s%s, control = list(threshold = 1e-13, maxiter = 10000, tol = 1e-13))", mods, quoted(strings.ToUpper(c.Method)), test, tau, level)
	}
	if c.Rve != "none" {
		s.line("print(fit)")
	} else {
		s.line("print(summary(fit))")
	}
}

func (c *MetaCommand) fixedCode(levels []string) string {
	out := make([]string, len(levels))
	for i, l := range levels {
		out[i] = "NA"
		for _, f := range c.Fix {
			if name, v, ok := trimmed(f); ok && named(name) == l {
				out[i] = v
			}
		}
	}
	return "c(" + strings.Join(out, ", ") + ")"
}

// showCode writes what is asked for beside the fit.
func (c *MetaCommand) showCode(s *script, measure string) {
	if c.Rve != "none" {
		return
	}
	if c.Levels == "" && c.Mods == "" {
		back := ""
		switch shown, _ := shownAs(c.Transform, measure); {
		case shown.name == "correlation":
			back = ", transf = transf.ztor"
		case shown.back != nil:
			back = ", transf = exp"
		}
		s.line("print(predict(fit%s))", back)
	}
	if c.Levels == "" && strings.ToUpper(c.Method) != "FE" && c.Tau2 == nil {
		s.line("print(confint(fit))")
	}
	if c.Levels != "" && c.Profile {
		s.line("print(confint(fit))")
	}
	if c.Cluster != "" {
		if c.Robust == "CR2" {
			s.line("V2 <- vcovCR(fit, cluster = dat$%s, type = \"CR2\")", named(c.Cluster))
			s.line("robust.fit <- coef_test(fit, V2, test = \"Satterthwaite\")")
		} else {
			adjust := "FALSE"
			if c.Robust != "CR0" {
				adjust = "TRUE"
			}
			s.line("robust.fit <- robust(fit, cluster = dat$%s, adjust = %s)", named(c.Cluster), adjust)
		}
		s.line("print(robust.fit)")
	}
	if c.Subgroup != "" {
		s.line("print(lapply(split(dat, dat$%s), function(d) rma(yi, vi, data = d, method = %s)))", named(c.Subgroup), quoted(strings.ToUpper(c.Method)))
	}
	if c.Bias {
		s.line("print(regtest(dat$yi, dat$vi, model = \"lm\"))")
		s.line("print(regtest(fit))")
		s.line("print(ranktest(dat$yi, dat$vi))")
		s.line("print(trimfill(fit, estimator = \"L0\"))")
		s.line("print(summary(lm(yi ~ sqrt(vi), weights = 1 / vi, data = dat)))")
		s.line("print(summary(lm(yi ~ vi, weights = 1 / vi, data = dat)))")
		s.line("print(fsn(dat$yi, dat$vi))")
	}
	if len(c.Selection) > 0 {
		steps := make([]string, len(c.Selection))
		for i, p := range c.Selection {
			steps[i] = strconv.FormatFloat(p, 'g', -1, 64)
		}
		alternative := "greater"
		if c.Less {
			alternative = "less"
		}
		s.line("ml <- update(fit, method = \"ML\")")
		s.line("print(selmodel(ml, type = \"stepfun\", alternative = %s, steps = c(%s)))", quoted(alternative), strings.Join(steps, ", "))
	}
	if c.Permute > 0 {
		s.line("print(permutest(fit, iter = %d))", c.Permute)
	}
	if c.Influence {
		s.line("print(influence(fit))")
	}
	if c.LeaveOneOut {
		s.line("print(leave1out(fit))")
	}
	if c.Cumulative != "" {
		s.line("print(cumul(fit, order = dat$%s))", named(c.Cumulative))
	}
}
