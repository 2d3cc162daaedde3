# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes multilevel_grid.json beside this file: Rscript multilevel.R, with R 4.2.2,
# metafor 3.8-1 and clubSandwich 0.5.8. Simulated studies with one to five effects
# each, from 3 studies to 30, one set without a variance between studies; three
# levels, with and without a moderator, REML and ML, z and t, correlated errors, and
# robust errors of three kinds with Satterthwaite's degrees of freedom.
suppressMessages({library(metafor); library(clubSandwich); library(jsonlite)})
try2 <- function(e) suppressWarnings(suppressMessages(try(e, silent = TRUE))); num <- function(x) I(as.numeric(x))
control <- list(optimizer = "optim", optmethod = "Nelder-Mead", reltol = 1e-15, maxit = 20000)
set.seed(11); out <- list()
for (i in 1:5) {
  ns <- c(3, 5, 8, 15, 30)[i]; st <- rep(seq_len(ns), times = sample(1:5, ns, TRUE)); n <- length(st)
  d <- data.frame(vi = round(rchisq(n, 4) / 60 + .005, 5), x = round(rnorm(n), 3), study = paste0("s", st), es = seq_len(n))
  d$yi <- round(.2 + .1 * d$x + rnorm(ns, 0, c(0, .1, .3, .2, .05)[i])[st] + rnorm(n, 0, .1) + rnorm(n, 0, sqrt(d$vi)), 5)
  fits <- list()
  for (mods in c(FALSE, TRUE)) for (how in list(c("REML", "z"), c("REML", "t"), c("ML", "z"))) for (rho in c(0, .6)) {
    V <- if (rho > 0) vcalc(vi, cluster = study, obs = es, rho = rho, data = d) else d$vi
    m <- try2(rma.mv(yi, V, mods = if (mods) ~ x else ~ 1, random = ~ 1 | study/es, data = d, method = how[1], test = how[2], control = control)); if (inherits(m, "try-error")) next
    r <- list(mods = mods, method = how[1], test = how[2], rho = rho, sigma2 = num(m$sigma2), beta = num(m$beta), se = num(m$se), p = num(m$pval), lower = num(m$ci.lb), upper = num(m$ci.ub), QE = m$QE, QEp = m$QEp, logLik = as.numeric(logLik(m)), robust = list())
    for (cr in c("CR0", "CR1", "CR2")) { t <- try2(coef_test(m, vcov = cr, cluster = d$study, test = "Satterthwaite")); if (!inherits(t, "try-error")) r$robust[[cr]] <- list(se = num(t$SE), df = num(t$df_Satt), p = num(t$p_Satt)) }
    fits[[length(fits) + 1]] <- r
  }
  out[[i]] <- list(y = num(d$yi), v = num(d$vi), x = num(d$x), study = I(as.character(d$study)), fits = fits)
}
writeLines(toJSON(list(r_version = R.version.string, packages = list(metafor = as.character(packageVersion("metafor")), clubSandwich = as.character(packageVersion("clubSandwich"))), sets = out), digits = I(15), auto_unbox = TRUE, null = "null", na = "null"), "multilevel_grid.json")
cat(sum(sapply(out, function(s) length(s$fits))), "fits\n")
