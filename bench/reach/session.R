# SPDX-License-Identifier: AGPL-3.0-or-later
# Answers one line for each line: "load FAMILY FILE" reads data and fits once
# where that is quick, "run FAMILY" fits and says the seconds and the estimates.
suppressMessages({library(metafor); library(lme4); library(lavaan)})
model <- "f1 =~ ya+yb+yc+yd\nf2 =~ ye+yf+yg+yh\nf3 =~ yi+yj+yk+yl"
quiet <- function(e) suppressMessages(suppressWarnings(e))
fits <- list(
  reml  = list(fit = function(d) rma(yi, vi, data = d),
               say = function(m) c(logLik(m), m$tau2, m$beta, m$se)),
  three = list(fit = function(d) rma.mv(yi, vi, random = ~1 | study/effect, data = d, sparse = TRUE),
               say = function(m) c(logLik(m), m$sigma2, m$beta, m$se)),
  lmer  = list(fit = function(d) lmer(y ~ x + (x | g), d),
               say = function(m) c(logLik(m), as.data.frame(VarCorr(m))$vcov, fixef(m), sqrt(diag(as.matrix(vcov(m)))))),
  ml    = list(fit = function(d) cfa(model, d),
               say = function(m) { p <- parTable(m); l <- p$op == "=~"; c(-fitMeasures(m, "chisq"), p$est[l], p$se[l][p$free[l] > 0]) }),
  wlsmv = list(fit = function(d) cfa(model, d, estimator = "WLSMV", ordered = names(d)),
               say = function(m) { p <- parTable(m); l <- p$op == "=~"; c(-fitMeasures(m, "chisq"), p$est[l], p$se[l][p$free[l] > 0]) }))
answer <- function(x) { cat(sprintf("%.17g", x), "\n"); flush(stdout()) }
cat(R.version.string, "; metafor ", as.character(packageVersion("metafor")), ", lme4 ", as.character(packageVersion("lme4")),
  ", lavaan ", as.character(packageVersion("lavaan")), "\n", sep = ""); flush(stdout())
input <- file("stdin", "r")
while (length(line <- readLines(input, 1)) > 0) {
  w <- strsplit(line, " ")[[1]]
  if (w[1] == "load") {
    d <- read.csv(paste(w[-(1:2)], collapse = " "))
    if (nrow(d) <= 1000) invisible(quiet(fits[[w[2]]]$fit(d)))
    answer(nrow(d))
  } else {
    invisible(gc())
    began <- Sys.time(); m <- quiet(fits[[w[2]]]$fit(d)); seconds <- as.numeric(Sys.time() - began, units = "secs")
    answer(c(seconds, as.numeric(fits[[w[2]]]$say(m))))
    rm(m)
  }
}
