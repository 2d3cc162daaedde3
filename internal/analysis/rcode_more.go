// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/entente-project/entente/stats/psych"
)

func (c *LmmCommand) code() (string, error) {
	s := &script{}
	nlme := c.AR1 != "" || c.CAR1 != "" || c.CompSymm != "" || c.VarIdent != "" || c.DF == "containment"
	switch {
	case nlme:
		s.read(c.Source, "nlme")
	case c.DF == "kenward-roger":
		s.read(c.Source, "lmerTest", "pbkrtest")
	default:
		s.read(c.Source, "lmerTest")
	}
	if err := c.prepareCode(s); err != nil {
		return "", err
	}
	for _, n := range c.Sum {
		s.line("dat[[%s]] <- factor(dat[[%[1]s]]); contrasts(dat[[%[1]s]]) <- contr.sum(nlevels(dat[[%[1]s]]))", quoted(n))
	}
	if nlme {
		if err := c.nlmeCode(s); err != nil {
			return "", err
		}
		return s.String(), nil
	}
	weights := ""
	if c.Weights != "" {
		weights = ", weights = " + named(c.Weights)
	}
	reml := "TRUE"
	if c.ML {
		reml = "FALSE"
	}
	call := "fit%s <- lmer(%s, data = dat, REML = %s%s, control = lmerControl(optimizer = \"nloptwrap\", optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12, xtol_rel = 1e-12, maxeval = 20000)))"
	s.line(call, "", c.Formula, reml, weights)
	ddf := map[string]string{"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward-Roger", "none": "lme4"}[c.DF]
	s.line("print(summary(fit, ddf = %s), digits = 10)", quoted(ddf))
	if c.Terms {
		s.line("print(anova(fit, type = 3, ddf = %s))", quoted(ddf))
	}
	if c.Confint == "profile" {
		s.line("print(confint(fit, level = %g, method = \"profile\"))", c.Level)
	}
	if c.Confint == "bootstrap" {
		s.line("print(confint(fit, level = %g, method = \"boot\", nsim = %d, seed = %d))", c.Level, c.Draws, c.Seed)
	}
	if c.Against != "" {
		s.line(call, ".other", c.Against, reml, weights)
		s.line("print(anova(fit, fit.other, refit = FALSE))")
	}
	if c.Ranef {
		s.line("print(ranef(fit, condVar = TRUE))")
	}
	if c.Predict != "" {
		s.line("print(predict(fit, newdata = read.csv(%s), allow.new.levels = TRUE))", quoted(c.Predict))
	}
	return s.String(), nil
}

func (c *LmmCommand) prepareCode(s *script) error {
	for _, rule := range c.Split {
		w, err := words("split", rule, "by")
		if err != nil {
			return err
		}
		x, g := "dat$"+named(w[0]), "dat$"+named(w[1])
		s.line("dat$%s <- ave(%s, %s, FUN = function(v) mean(v, na.rm = TRUE))", named(w[0]+".mean"), x, g)
		s.line("dat$%s <- %s - dat$%s", named(w[0]+".within"), x, named(w[0]+".mean"))
		s.line("dat$%s <- dat$%s - mean(dat$%[2]s, na.rm = TRUE)", named(w[0]+".between"), named(w[0]+".mean"))
	}
	for _, rule := range c.Lag {
		w, err := lagWords(rule)
		if err != nil {
			return err
		}
		x, g, t := named(w[0]), named(w[1]), named(w[2])
		if lagsRows(rule) {
			s.line("o <- order(dat$%s, dat$%s)", g, t)
			s.line("dat$%s <- NA; dat$%[1]s[o] <- ave(dat$%s[o], dat$%s[o], FUN = function(v) c(NA, head(v, -1)))", named(w[0]+".lag"), x, g)
			continue
		}
		s.line("dat$%s <- dat$%s[match(paste(dat$%[3]s, dat$%[4]s - 1), paste(dat$%[3]s, dat$%[4]s))]", named(w[0]+".lag"), x, g, t)
	}
	return nil
}

// nlmeCode writes the model for lme or gls, which know one grouping only here.
func (c *LmmCommand) nlmeCode(s *script) error {
	open := strings.Index(c.Formula, "(")
	for open >= 0 && !strings.Contains(c.Formula[open:], "|") {
		open = -1
	}
	fixed, random := c.Formula, ""
	if at := strings.LastIndex(c.Formula, "("); at >= 0 && strings.Contains(c.Formula[at:], "|") {
		fixed = strings.TrimRight(c.Formula[:at], " +")
		random = strings.TrimSuffix(strings.TrimSpace(c.Formula[at+1:]), ")")
	}
	if open >= 0 && random == "" || strings.Contains(random, "||") || strings.Count(c.Formula, "|") > 1 {
		return wrongUse("there is no R code for this model: nlme knows one random term here; leave the residual structure out")
	}
	more := ""
	form := func(text string) string {
		time, group, ok := strings.Cut(text, "|")
		if !ok {
			time, group = "1", text
		}
		return strings.TrimSpace(time) + " | " + strings.TrimSpace(group)
	}
	for _, k := range [][2]string{{"corAR1", c.AR1}, {"corCAR1", c.CAR1}, {"corCompSymm", c.CompSymm}} {
		if k[1] != "" {
			more += fmt.Sprintf(", correlation = %s(form = ~ %s)", k[0], form(k[1]))
		}
	}
	switch {
	case c.VarIdent != "" && c.Weights != "":
		return wrongUse("there is no R code for --varident with --weights")
	case c.VarIdent != "":
		more += fmt.Sprintf(", weights = varIdent(form = ~ 1 | %s)", c.VarIdent)
	case c.Weights != "":
		more += fmt.Sprintf(", weights = varFixed(~ I(1 / %s))", c.Weights)
	}
	method := "REML"
	if c.ML {
		method = "ML"
	}
	fn, control := "gls", "glsControl(tolerance = 1e-12, msTol = 1e-12, opt = \"optim\")"
	if random != "" {
		fn, control = "lme", "lmeControl(msTol = 1e-12, tolerance = 1e-12, msMaxIter = 500, maxIter = 500, opt = \"optim\")"
		more = ", random = ~ " + random + more
	}
	s.line("fit <- %s(%s%s, data = dat, method = %s, na.action = na.omit, control = %s)", fn, fixed, more, quoted(method), control)
	s.line("print(summary(fit))")
	if c.Confint != "wald" {
		s.line("print(intervals(fit, level = %g))", c.Level)
	}
	return nil
}

// code turns and selects the items of a scale.
func (c *Items) code(s *script, numeric bool) {
	if len(c.Items) > 0 {
		s.line("dat <- dat[, %s]", vector(c.Items))
	} else if numeric {
		s.line("dat <- dat[, sapply(dat, is.numeric)]")
	}
	if len(c.Reverse) > 0 {
		ends := "range(as.matrix(dat), na.rm = TRUE)"
		if at := strings.LastIndex(c.Range, "-"); at > 0 {
			ends = "c(" + c.Range[:at] + ", " + c.Range[at+1:] + ")"
		}
		s.line("ends <- %s", ends)
		for _, n := range c.Reverse {
			s.line("dat[[%s]] <- sum(ends) - dat[[%[1]s]]", quoted(n))
		}
	}
	if c.Complete {
		s.line("dat <- dat[complete.cases(dat), ]")
	}
}

func (c *AlphaCommand) code() (string, error) {
	s := &script{}
	s.read(c.Source, "psych")
	c.Items.code(s, true)
	s.line("fit <- alpha(dat, check.keys = FALSE, warnings = FALSE)")
	s.line("print(fit, digits = 6)")
	return s.String(), nil
}

func (c *OmegaCommand) code() (string, error) {
	s := &script{}
	s.read(c.Source, "lavaan")
	c.Items.code(s, true)
	s.line("dat <- dat[complete.cases(dat), ]")
	s.line("fit <- cfa(paste(\"g =~\", paste(names(dat), collapse = \" + \")), data = dat, std.lv = TRUE, estimator = %s)", quoted(c.Estimator))
	s.line("p <- parameterEstimates(fit)")
	s.line("l <- p$est[p$op == \"=~\"]; v <- p$est[p$op == \"~~\" & p$lhs != \"g\"]")
	s.line("omega.total <- sum(l)^2 / (sum(l)^2 + sum(v))")
	s.line("print(omega.total, digits = 10)")
	if c.Factors > 0 {
		s.line("print(psych::omega(dat, nfactors = %d, plot = FALSE))", c.Factors)
	}
	return s.String(), nil
}

func (c *ICCCommand) code() (string, error) {
	s := &script{}
	s.read(c.Source, "psych")
	(&Items{Items: c.Raters, Complete: c.Complete}).code(s, true)
	s.line("dat <- dat[rowSums(!is.na(dat)) > 0, ]")
	s.line("fit <- ICC(dat, lmer = anyNA(dat), alpha = %g)", 1-c.Level)
	s.line("print(fit)")
	return s.String(), nil
}

func (c *KappaCommand) code() (string, error) {
	s := &script{}
	s.read(c.Source, "psych")
	columns := "1:2"
	if len(c.Raters) == 2 {
		columns = vector(c.Raters)
	}
	s.line("dat <- dat[complete.cases(dat[, %s]), %[1]s]", columns)
	s.line("both <- sort(unique(unlist(dat)))")
	s.line("tab <- table(factor(dat[[1]], both), factor(dat[[2]], both))")
	if c.Weights == "linear" {
		s.line("w <- 1 - abs(outer(seq_along(both), seq_along(both), \"-\")) / (length(both) - 1)")
		s.line("fit <- cohen.kappa(tab, w = w, alpha = %g)", 1-c.Level)
	} else {
		s.line("fit <- cohen.kappa(tab, alpha = %g)", 1-c.Level)
	}
	s.line("print(fit)")
	return s.String(), nil
}

func (c *PolychoricCommand) code() (string, error) {
	s := &script{}
	s.read(c.Source, "lavaan")
	c.Items.code(s, true)
	s.line("dat <- dat[complete.cases(dat), ]")
	if c.Full {
		s.line("fit <- polycor::polychor(table(dat[[1]], dat[[2]]), ML = TRUE, std.err = TRUE)")
	} else {
		s.line("fit <- lavCor(dat, ordered = names(dat))")
	}
	s.line("print(fit, digits = 8)")
	return s.String(), nil
}

func (c *CFACommand) code() (string, error) {
	text, err := c.text()
	if err != nil {
		return "", err
	}
	s := &script{}
	s.read(c.Source, "lavaan")
	if c.Bifactor != "" {
		m, err := psych.ParseModel(text)
		if err != nil {
			return "", wrongUse("the model: %v", err)
		}
		text = c.Bifactor + " =~ " + strings.Join(m.Items(), " + ") + "\n" + text
	}
	s.line("model <- %s", quoted(text))
	args := []string{"model", "data = dat", "estimator = " + quoted(c.Estimator)}
	if c.Estimator == "WLSMV" || c.Estimator == "DWLS" {
		args = append(args, "ordered = TRUE")
	}
	if c.Missing == "fiml" {
		args = append(args, `missing = "fiml"`)
	}
	if c.StdLV || c.Bifactor != "" {
		args = append(args, "std.lv = TRUE")
	}
	if c.Orthogonal || c.Bifactor != "" {
		args = append(args, "orthogonal = TRUE")
	}
	if c.MeanStructure {
		args = append(args, "meanstructure = TRUE")
	}
	if c.Group != "" {
		args = append(args, "group = "+quoted(c.Group))
	}
	if len(c.GroupPartial) > 0 {
		args = append(args, "group.partial = "+vector(c.GroupPartial))
	}
	call := func(name string, equal []string, model string) {
		a := slices.Clone(args)
		a[0] = model
		if len(equal) > 0 {
			a = append(a, "group.equal = "+vector(equal))
		}
		s.line("%s <- cfa(%s)", name, strings.Join(a, ", "))
	}
	if c.Invariance {
		c.invarianceCode(s, call)
		return s.String(), nil
	}
	call("fit", c.GroupEqual, "model")
	s.line("print(summary(fit, fit.measures = TRUE, standardized = TRUE))")
	if c.Against != "" {
		call("fit.other", c.GroupEqual, quoted(c.Against))
		s.line("print(lavTestLRT(fit, fit.other))")
	}
	if c.Modifications {
		s.line("print(modindices(fit, sort. = TRUE))")
	}
	if c.Reliability {
		s.line("print(semTools::reliability(fit))")
	}
	if c.Scores {
		s.line("print(lavPredict(fit))")
	}
	return s.String(), nil
}

func (c *CFACommand) invarianceCode(s *script, call func(string, []string, string)) {
	call("configural", nil, "model")
	call("metric", []string{"loadings"}, "model")
	if c.Estimator == "WLSMV" || c.Estimator == "DWLS" {
		call("fit", []string{"loadings", "thresholds"}, "model")
		s.line("print(lavTestLRT(configural, metric, fit))")
		return
	}
	call("scalar", []string{"loadings", "intercepts"}, "model")
	call("fit", []string{"loadings", "intercepts", "residuals"}, "model")
	s.line("print(lavTestLRT(configural, metric, scalar, fit))")
}

func (c *IRTCommand) code() (string, error) {
	s := &script{}
	s.read(c.Source, "mirt")
	c.Items.code(s, true)
	model := "1"
	if c.Equal {
		model = `mirt.model(paste0("F = 1-", ncol(dat), "\nCONSTRAIN = (1-", ncol(dat), ", a1)"))`
	}
	s.line("fit <- mirt(dat, %s, itemtype = \"graded\", quadpts = %d, TOL = 1e-8, SE = TRUE)", model, c.Points)
	s.line("print(coef(fit, IRTpars = TRUE, printSE = TRUE))")
	var at []string
	for _, v := range c.At {
		at = append(at, fmt.Sprint(v))
	}
	s.line("print(testinfo(fit, c(%s)))", strings.Join(at, ", "))
	if c.Scores {
		s.line("print(fscores(fit, method = \"EAP\", full.scores.SE = TRUE))")
	}
	return s.String(), nil
}

func (c *APIMCommand) code() (string, error) {
	s := &script{}
	s.read(c.Source, "nlme")
	s.line("dat <- dat[!is.na(dat$%s), ]; dat <- dat[dat$%[1]s %%in%% names(which(table(dat$%[1]s) == 2)), ]", named(c.Dyad))
	order := "dat$" + named(c.Dyad)
	if c.Member != "" {
		order += ", dat$" + named(c.Member)
	}
	s.line("dat <- dat[order(%s), ]", order)
	s.line("other <- as.vector(rbind(seq(2, nrow(dat), 2), seq(1, nrow(dat), 2)))")
	var actors, partners []string
	for _, p := range c.Predictors {
		s.line("dat$%s <- dat$%s; dat$%s <- dat$%[2]s[other]", named("actor."+p), named(p), named("partner."+p))
		actors, partners = append(actors, named("actor."+p)), append(partners, named("partner."+p))
	}
	s.line("dat <- dat[complete.cases(dat[, %s]), ]", vector(append([]string{c.Outcome}, bare(actors, partners)...)))
	if c.Center == "grand" {
		for i := range actors {
			s.line("centre <- mean(dat$%s); dat$%[1]s <- dat$%[1]s - centre; dat$%[2]s <- dat$%[2]s - centre", actors[i], partners[i])
		}
	}
	f := strings.Join(append(actors, partners...), " + ")
	method := "ML"
	if c.REML {
		method = "REML"
	}
	weights := ""
	if c.Roles {
		s.line("dat$role. <- ifelse(dat$%s == sort(unique(dat$%[1]s))[1], 1, -1)", named(c.Member))
		if !c.Effects {
			f = "role. * (" + f + ")"
		}
		if !c.Variances {
			weights = ", weights = varIdent(form = ~ 1 | role.)"
		}
	}
	s.line("fit <- gls(%s ~ %s, data = dat, correlation = corCompSymm(form = ~ 1 | %s)%s, method = %s, control = glsControl(tolerance = 1e-12, msTol = 1e-12, opt = \"optim\"))", named(c.Outcome), f, named(c.Dyad), weights, quoted(method))
	s.line("print(summary(fit))")
	return s.String(), nil
}

// bare takes the marks off names.
func bare(lists ...[]string) []string {
	var out []string
	for _, l := range lists {
		for _, n := range l {
			out = append(out, strings.Trim(n, "`"))
		}
	}
	return out
}

func (c *TruthBiasCommand) code() (string, error) {
	if c.Dyad != "" {
		return c.sessionsCode(), nil
	}
	s := &script{}
	s.read(c.Source)
	names := []string{c.Judgment, c.Truth}
	f := "judgment. ~ truth."
	if c.Moderator != "" {
		names = append(names, c.Moderator)
		f += " * moderator."
	}
	s.line("dat <- dat[complete.cases(dat[, %s]), ]", vector(names))
	s.line("centre <- mean(dat$%s)", named(c.Truth))
	s.line("dat$judgment. <- dat$%s - centre; dat$truth. <- dat$%s - centre", named(c.Judgment), named(c.Truth))
	if c.Moderator != "" {
		s.line("dat$moderator. <- dat$%s - mean(dat$%[1]s)", named(c.Moderator))
	}
	s.line("fit <- lm(%s, data = dat)", f)
	s.line("print(summary(fit))")
	return s.String(), nil
}

func (c *SurfaceCommand) code() (string, error) {
	s := &script{}
	s.read(c.Source)
	s.line("dat <- dat[complete.cases(dat[, %s]), ]", vector([]string{c.X, c.Y, c.Outcome}))
	centre := c.Center
	switch c.Center {
	case "mean":
		centre = fmt.Sprintf("mean(c(dat$%s, dat$%s))", named(c.X), named(c.Y))
	case "none":
		centre = "0"
	}
	s.line("centre <- %s", centre)
	s.line("dat$x. <- dat$%s - centre; dat$y. <- dat$%s - centre", named(c.X), named(c.Y))
	s.line("fit <- lm(%s ~ x. + y. + I(x.^2) + I(x. * y.) + I(y.^2), data = dat)", named(c.Outcome))
	s.line("print(summary(fit))")
	s.line("a <- rbind(a1 = c(0, 1, 1, 0, 0, 0), a2 = c(0, 0, 0, 1, 1, 1), a3 = c(0, 1, -1, 0, 0, 0), a4 = c(0, 0, 0, 1, -1, 1), a5 = c(0, 0, 0, 1, 0, -1))")
	s.line("print(cbind(estimate = drop(a %%*%% coef(fit)), se = sqrt(diag(a %%*%% vcov(fit) %%*%% t(a)))))")
	return s.String(), nil
}

func (c *RCICommand) code() (string, error) {
	s := &script{}
	s.read(c.Source)
	sd := fmt.Sprintf("sd(dat$%s)", named(c.Pre))
	if c.Score == "" {
		s.line("dat <- dat[complete.cases(dat[, %s]), ]", vector([]string{c.Pre, c.Post}))
	}
	if c.SD != nil {
		sd = fmt.Sprint(*c.SD)
	}
	s.line("sdiff <- sqrt(2) * %s * sqrt(1 - %g)", sd, c.Reliability)
	if c.Score != "" {
		s.line("x <- dat$%s; x <- x[!is.na(x)]; pre <- x[1]; post <- x[length(x)]", named(c.Score))
	} else {
		s.line("pre <- dat$%s; post <- dat$%s", named(c.Pre), named(c.Post))
	}
	s.line("fit <- (post - pre) / sdiff")
	s.line("print(c(criterion = qnorm(%g) * sdiff)); print(fit)", (1+c.Level)/2)
	if c.Score != "" {
		s.line("print(mean(x) + c(-2.66, 0, 2.66) * mean(abs(diff(x))))")
	}
	return s.String(), nil
}
