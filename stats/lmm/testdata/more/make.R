# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes the further reference values: run in this folder, with R, lme4, lmerTest,
# pbkrtest, nlme and jsonlite. Needs n(), nm(), mat() and lm4() as below.
suppressMessages({library(lmerTest); library(pbkrtest); library(nlme); library(jsonlite)})
lc <- lmerControl(optimizer="nloptwrap", optCtrl=list(xtol_abs=1e-12, ftol_abs=1e-12, xtol_rel=1e-12, ftol_rel=1e-14, maxeval=20000), check.conv.grad="ignore", check.conv.singular="ignore")
num <- function(x) I(as.numeric(x))
tab <- function(x) { x <- as.matrix(x); list(rows=I(rownames(x)), cols=I(colnames(x)), values=unname(lapply(seq_len(nrow(x)), function(i) num(x[i,])))) }
fit <- function(f, satt=FALSE) {
  vc <- as.data.frame(lme4::VarCorr(f)); r <- lme4::ranef(f)
  o <- list(n=nobs(f), criterion=as.numeric(lme4::getME(f,"devcomp")$cmp[if(lme4::isREML(f)) "REML" else "dev"]), AIC=AIC(f), BIC=BIC(f), sigma=sigma(f),
    fixed_names=I(names(lme4::fixef(f))), beta=num(lme4::fixef(f)), se=num(sqrt(diag(as.matrix(vcov(f))))),
    vcov=num(vc$vcov), sdcor=num(vc$sdcor), fitted_head=num(head(fitted(f),10)))
  if (satt) o$satterthwaite <- tab(summary(as(f,"lmerModLmerTest"), ddf="Satterthwaite")$coefficients)
  o }
krt <- function(f, L) { k <- KRmodcomp(f, L)$stats; list(F=k$Fstat, ddf=k$ddf, p=k$p.value, scale=k$F.scaling) }
sF <- function(f, L) { a <- contestMD(as(f,"lmerModLmerTest"), L); list(F=a[["F value"]], ddf=a[["DenDF"]], p=a[["Pr(>F)"]]) }
gl <- function(m) list(names=I(names(coef(m))), beta=num(coef(m)), se=num(sqrt(diag(vcov(m)))), sigma=m$sigma, logLik=as.numeric(logLik(m)), cor=num(coef(m$modelStruct$corStruct, unconstrained=FALSE)))
nl <- function(m) { s <- summary(m)$tTable; list(names=I(names(nlme::fixef(m))), beta=num(nlme::fixef(m)), se=num(sqrt(diag(m$varFix))), df=num(s[,"DF"]), sigma=m$sigma, logLik=as.numeric(logLik(m)), sd_re=num(suppressWarnings(as.numeric(nlme::VarCorr(m)[,"StdDev"]))),
  cor=if(is.null(m$modelStruct$corStruct)) NULL else num(coef(m$modelStruct$corStruct, unconstrained=FALSE)), ratio=if(is.null(m$modelStruct$varStruct)) NULL else num(coef(m$modelStruct$varStruct, unconstrained=FALSE))) }
save <- function(id, dat, code) { data <- paste0(id, ".csv"); write.csv(dat, data, row.names=FALSE); dat <<- read.csv(data)
  e <- eval(code, globalenv())
  writeLines(toJSON(list(id=id, data=data, r_version=R.version.string, packages=lapply(list(lme4="lme4",lmerTest="lmerTest",pbkrtest="pbkrtest",nlme="nlme"), function(p) as.character(packageVersion(p))), r_call=paste(deparse(code), collapse="\n"), expected=e), digits=I(15), auto_unbox=TRUE, null="null", pretty=TRUE), paste0(id, ".json")) }

set.seed(20)
k <- 60; d <- expand.grid(s=1:6, p=1:k); d$th <- sprintf("t%02d", sample(1:9, k, TRUE)[d$p]); sw <- runif(nrow(d))<.15; d$th[sw] <- sprintf("t%02d", sample(1:9, sum(sw), TRUE))
d$arm <- c("none","book","group")[1 + d$p %% 3]; d$x <- d$s + round(rnorm(nrow(d), 0, .4), 2); d$w <- round(runif(nrow(d), .5, 3), 2)
u <- matrix(rnorm(2*k), k) %*% chol(matrix(c(1.5,.2,.2,.1),2)); th <- rnorm(9, 0, .8)
d$y <- round(10 + u[d$p,1] + (.3 + u[d$p,2])*d$x + th[as.integer(factor(d$th, levels=sprintf("t%02d",1:9)))] + .5*(d$arm=="group")*d$x + rnorm(nrow(d))/sqrt(d$w), 4)
d <- d[runif(nrow(d)) > .1, ]
save("crossed", d, quote({
  m <- lmer(y ~ x * arm + (1 + x | p) + (1 | th), data = dat, control = lc)
  w <- lmer(y ~ x * arm + (1 + x | p) + (1 | th), data = dat, weights = w, control = lc)
  s <- lmer(y ~ x * arm + (x || p) + (1 | th), data = dat, REML = FALSE, contrasts = list(arm = "contr.sum"), control = lc)
  L <- rbind(c(0,0,0,0,1,0), c(0,0,0,0,0,1))
  # KRmodcomp leaves weights out of V: the weighted model is written without weights
  dat$r <- sqrt(dat$w); X <- model.matrix(~ x * arm, dat) * dat$r; colnames(X) <- paste0("c", 1:6)
  e <- cbind(dat, X); e$yr <- e$y * e$r; e$xr <- e$x * e$r
  wr <- lmer(yr ~ 0 + c1 + c2 + c3 + c4 + c5 + c6 + (0 + r + xr | p) + (0 + r | th), data = e, control = lc)
  list(plain = fit(m, TRUE), weighted = fit(w, TRUE), sum_ml = fit(s, TRUE), kr_slope = krt(m, matrix(c(0,1,0,0,0,0),1)), kr_interaction = krt(m, L), kr_weighted = krt(wr, L), satt_interaction = sF(m, L)) }))
save("penicillin", lme4::Penicillin, quote({
  m <- lmer(diameter ~ 1 + (1 | plate) + (1 | sample), data = dat, control = lc)
  p <- suppressWarnings(confint(lme4::lmer(diameter ~ 1 + (1 | plate) + (1 | sample), data = dat, control = lc), quiet = TRUE, oldNames = FALSE))
  list(fit = fit(m, TRUE), profile = tab(p), kr = krt(m, matrix(1,1))) }))
save("cake", lme4::cake, quote({
  m <- lmer(angle ~ recipe * factor(temp) + (1 | recipe:replicate), data = dat, control = lc)
  L <- matrix(0, 10, 18); for (i in 1:10) L[i, 8+i] <- 1
  R <- matrix(0, 2, 18); R[1,2] <- R[2,3] <- 1
  list(fit = fit(m, TRUE), kr_interaction = krt(m, L), kr_recipe = krt(m, R), satt_interaction = sF(m, L), satt_recipe = sF(m, R)) }))
d <- expand.grid(t=1:12, id=1:30); d$arm <- c("a","b")[1 + d$id %% 2]; e <- numeric(nrow(d))
for (i in 1:30) { z <- rnorm(12); for (j in 2:12) z[j] <- .55*z[j-1] + sqrt(1-.55^2)*z[j]; e[d$id==i] <- z }
d$hours <- round(d$t*2 + runif(nrow(d), -.8, .8), 2)
d$y <- round(4 + rnorm(30)[d$id] + (.2 + rnorm(30,0,.15)[d$id])*d$t + e*ifelse(d$arm=="b",1.6,1), 4)
d <- d[runif(nrow(d)) > .12, ]
save("sessions", d, quote({
  cc <- lmeControl(msTol = 1e-13, tolerance = 1e-13, msMaxIter = 1000, maxIter = 1000, opt = "nlminb"); gc <- glsControl(tolerance = 1e-13, msTol = 1e-13, opt = "nlminb")
  list(ar1_gaps = nl(lme(y ~ t * arm, random = ~1 | id, correlation = corAR1(form = ~t | id), data = dat, control = cc)),
    ar1_var_slope = nl(lme(y ~ t, random = ~t | id, correlation = corAR1(form = ~t | id), weights = varIdent(form = ~1 | arm), data = dat, control = cc)),
    car1_ml = nl(lme(y ~ t, random = ~1 | id, correlation = corCAR1(form = ~hours | id), data = dat, method = "ML", control = cc)),
    gls_ar1 = gl(gls(y ~ t, correlation = corAR1(form = ~t | id), data = dat, control = gc)),
    gls_cs = gl(gls(y ~ t, correlation = corCompSymm(form = ~1 | id), data = dat, control = gc))) }))
