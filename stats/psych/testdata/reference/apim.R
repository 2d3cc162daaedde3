# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes apim.json beside this file: Rscript apim.R, with R 4.2.2 and nlme 3.1-162.
# The couples of dyad_01_acitelli_apim with each tenth outcome taken away; gls uses
# the other partner's row of such a couple.
suppressMessages({library(nlme); library(jsonlite)}); num <- function(x) I(as.numeric(x))
dat <- read.csv("../golden/dyad_01_acitelli_apim.csv")
dat$sat[(seq_len(nrow(dat)) * 7) %% 10 == 0] <- NA
dat <- dat[complete.cases(dat[, c("sat", "otherpos_a", "otherpos_p", "tension_a", "tension_p")]), ]
for (x in c("otherpos", "tension")) { m <- mean(dat[[paste0(x, "_a")]]); dat[[paste0(x, "_a")]] <- dat[[paste0(x, "_a")]] - m; dat[[paste0(x, "_p")]] <- dat[[paste0(x, "_p")]] - m }
dat$r <- ifelse(dat$Partnum == 1, 1, -1)
gc <- glsControl(tolerance = 1e-13, msTol = 1e-13, opt = "optim", maxIter = 500, msMaxIter = 500, optimMethod = "BFGS")
fit <- function(roles, unequal, method) do.call(gls, c(list(if (roles) sat ~ r * (otherpos_a + tension_a + otherpos_p + tension_p) else sat ~ otherpos_a + tension_a + otherpos_p + tension_p, data = dat, correlation = corCompSymm(form = ~ 1 | CoupleID), method = method, control = gc), if (unequal) list(weights = varIdent(form = ~ 1 | Partnum))))
show <- function(m) { b <- coef(m); half <- grepl("^r$|^r:", names(b)); b <- c(b[!half], b[half]); se <- sqrt(diag(vcov(m)))[names(b)]
  list(beta = num(b), se = num(se), p = num(2 * pt(-abs(b / se), nrow(dat) - length(b))), sigma = m$sigma, rho = as.numeric(coef(m$modelStruct$corStruct, unconstrained = FALSE)), ratio = if (is.null(m$modelStruct$varStruct)) 1 else as.numeric(coef(m$modelStruct$varStruct, unconstrained = FALSE)), logLik = as.numeric(logLik(m)), AIC = AIC(m), BIC = BIC(m)) }
full <- fit(TRUE, TRUE, "ML")
wald <- function(names) { L <- matrix(0, length(names), length(coef(full)), dimnames = list(NULL, base::names(coef(full)))); for (i in seq_along(names)) for (s in strsplit(names[i], " - ")[[1]]) L[i, s] <- if (s == strsplit(names[i], " - ")[[1]][1]) 1 else -1
  a <- anova(full, L = L); list(F = a$`F-value`, df1 = a$numDF, p = a$`p-value`) }
lr <- function(small) { x <- 2 * as.numeric(logLik(full) - logLik(small)); k <- attr(logLik(full), "df") - attr(logLik(small), "df"); list(chi2 = x, df = k, p = pchisq(x, k, lower.tail = FALSE)) }
expected <- list(rows = nrow(dat), couples = length(unique(dat$CoupleID)), roles_ML = show(full), roles_REML = show(fit(TRUE, TRUE, "REML")), equal_variances_ML = show(fit(TRUE, FALSE, "ML")), equal_effects_ML = show(fit(FALSE, TRUE, "ML")), equal_effects_REML = show(fit(FALSE, TRUE, "REML")), alike_ML = show(fit(FALSE, FALSE, "ML")), alike_REML = show(fit(FALSE, FALSE, "REML")),
  tests = list(intercepts = wald("r"), actors = wald(c("r:otherpos_a", "r:tension_a")), partners = wald(c("r:otherpos_p", "r:tension_p")), actor_partner = wald(c("otherpos_a - otherpos_p", "tension_a - tension_p")), effects = lr(fit(FALSE, TRUE, "ML")), variances = lr(fit(TRUE, FALSE, "ML")), alike = lr(fit(FALSE, FALSE, "ML"))))
writeLines(toJSON(list(id = "apim", data = "dyad_01_acitelli_apim.csv", r_version = R.version.string, packages = list(nlme = as.character(packageVersion("nlme"))), r_call = "apim.R", expected = expected), digits = I(15), auto_unbox = TRUE, null = "null", na = "null"), "apim.json")
