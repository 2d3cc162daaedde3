# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes icc.json beside this file from simulated ratings, some missing: Rscript icc.R 1 icc.json
# with R 4.2.2, psych 2.2.9, lme4 1.1-31. psych's own function, with the search of lmer tightened.
suppressMessages({library(psych); library(lme4); library(jsonlite)})
lc <- lmerControl(optimizer="nloptwrap", optCtrl=list(xtol_abs=1e-12, ftol_abs=1e-12, xtol_rel=1e-12, ftol_rel=1e-14, maxeval=20000), check.conv.grad="ignore", check.conv.singular="ignore")
tight <- eval(parse(text=gsub("na.action = na.omit)", "na.action = na.omit, control = lc)", paste(deparse(psych::ICC), collapse="\n"), fixed=TRUE)))
num <- function(x) I(as.numeric(x)); args <- commandArgs(TRUE); set.seed(as.integer(args[1])); out <- list()
# targets, raters, share missing, sd of targets, sd of raters, decimals
for (p in list(c(6,4,.1,2,1,3), c(12,3,.25,1,.5,3), c(40,5,.3,1,0,0), c(25,2,.2,1,1,3), c(30,4,.4,0,1,3), c(15,6,.5,.05,.05,3), c(100,8,.6,1,.7,2), c(8,3,.15,3,0,3))) {
  repeat { n <- p[1]; k <- p[2]; X <- round(matrix(rnorm(n*k),n)+rnorm(n,0,p[4])+rep(rnorm(k,0,p[5]),each=n),p[6]); X[runif(n*k)<p[3]] <- NA; if (anyNA(X) && all(rowSums(!is.na(X))>0) && all(colSums(!is.na(X))>1)) break }
  f <- suppressWarnings(suppressMessages(tight(as.data.frame(X)))); r <- f$results; v <- f$lme$variance
  out[[length(out)+1]] <- list(x=unname(lapply(seq_len(n), function(i) num(X[i,]))), variance=num(v[1:3]), icc=num(r$ICC), F=num(r$F), df1=num(r$df1), df2=num(r$df2), p=num(r$p), lo=num(r[["lower bound"]]), hi=num(r[["upper bound"]])) }
writeLines(toJSON(out, digits=I(15), auto_unbox=TRUE, null="null", na="null"), args[2])
