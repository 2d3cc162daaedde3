# SPDX-License-Identifier: AGPL-3.0-or-later
# Times lmer in process on data of the kind of BenchmarkRandomSlope:
# Rscript bench.R 10000 100000 1000000
suppressMessages(library(lme4)); set.seed(1)
for (n in as.numeric(commandArgs(TRUE))) {
  k <- n/10; level <- rnorm(k, 0, 1.3); growth <- rnorm(k, 0, .2) + .05*level
  g <- rep(seq_len(k), each=10); x <- rep(0:9, k)
  d <- data.frame(g, x, y=5 + level[g] + (.1+growth[g])*x + rnorm(n))
  t <- system.time(m <- suppressWarnings(lmer(y ~ x + (x | g), d)))
  cat(n, "rows:", t[["elapsed"]], "s elapsed,", t[["user.self"]], "s of processor, criterion", sprintf("%.6f", REMLcrit(m)), "\n")
}
