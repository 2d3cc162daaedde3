# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes unequal.json beside this file: Rscript unequal.R, with R 4.2.2 and lavaan
# 0.6-14. Ordered items in two groups of unequal size: each third row of the golden
# case cfa_04_bfi_wlsmv, and the rest. polish() takes Newton steps with lavaan's own
# gradient and Hessian, because nlminb stops early.
suppressMessages({library(lavaan); library(jsonlite); library(psych); library(metafor); library(lme4)})
source("../golden/HELPERS.R")
from <- fromJSON("ordered.json")$r_call
polish <- eval(parse(text = from[seq_len(max(which(from == "}")))]))
dat <- read.csv("../golden/cfa_04_bfi_wlsmv.csv"); v <- names(dat)
dat$third <- ifelse(seq_len(nrow(dat)) %% 3 == 0, "third", "rest")
m <- "A =~ A1+A2+A3+A4+A5\nC =~ C1+C2+C3+C4+C5"
fit <- function(e, equal) polish(cfa(m, dat, group = "third", estimator = e, ordered = v, group.equal = equal))
expected <- list(configural = cf(fit("WLSMV", "")), loadings = cf(fit("WLSMV", "loadings")), thresholds = cf(fit("WLSMV", c("loadings", "thresholds"))), dwls = cf(fit("DWLS", "loadings")))
writeLines(toJSON(list(id = "unequal", data = "cfa_04_bfi_wlsmv.csv", r_version = R.version.string, packages = list(lavaan = as.character(packageVersion("lavaan"))), r_call = "unequal.R", expected = expected), digits = I(15), auto_unbox = TRUE, null = "null", na = "null"), "unequal.json")
