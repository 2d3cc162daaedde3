# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes grm.json beside this file: Rscript grm.R (four minutes), with R 4.2.2 and no
# package for the model: neither mirt nor ltm is in Debian. Samejima's model as it is defined,
# P(X >= k) = 1/(1 + exp(-(a theta + d_k))), by the sum over the grid that our own
# fit has; maximised by BFGS and Newton steps with Hessians by differences.
# Items A1 to A5 of the golden case cfa_04_bfi_wlsmv, first 400 rows, with holes.
# The equal model has one discrimination for all items.
suppressMessages(library(jsonlite)); num <- function(x) I(as.numeric(x))
X <- as.matrix(read.csv("../golden/cfa_04_bfi_wlsmv.csv")[1:400, paste0("A", 1:5)])
for (i in 1:400) for (j in 1:5) if ((i * 7 + j * 3) %% 11 == 0) X[i, j] <- NA
J <- 5; K <- 6; theta <- seq(-6, 6, length.out = 121); w <- dnorm(theta); w <- w / sum(w)
prob <- function(a, d) { up <- rbind(1, plogis(outer(d, a * theta, "+")), 0); up[-nrow(up), ] - up[-1, ] }
unpack <- function(p) lapply(1:J, function(j) list(a = p[(j - 1) * K + 1], d = p[(j - 1) * K + 2:K]))
joint <- function(p) { L <- matrix(0, nrow(X), length(theta)); o <- unpack(p); for (j in 1:J) { P <- rbind(log(pmax(prob(o[[j]]$a, o[[j]]$d), 1e-300)), 0); L <- L + P[ifelse(is.na(X[, j]), K + 1, X[, j]), ] }; L }
ll <- function(p) { d <- sapply(unpack(p), function(o) min(-diff(o$d))); if (any(d <= 0)) return(1e10); -sum(log(exp(joint(p)) %*% w)) }
spread <- function(q) c(rbind(q[1], matrix(q[-1], K - 1)))
equal <- function(q) ll(spread(q))
start <- unlist(lapply(1:J, function(j) { up <- sapply(2:K, function(k) mean(X[, j] >= k, na.rm = TRUE)); c(if (j == 1) -.8 else 1, 1.3 * qlogis(up)) }))
gradient <- function(f, p, h = 1e-4) sapply(seq_along(p), function(i) { e <- replace(0 * p, i, h); (8 * (f(p + e) - f(p - e)) - (f(p + 2 * e) - f(p - 2 * e))) / (12 * h) })
hessian <- function(f, p, h = 1e-3) { H <- sapply(seq_along(p), function(i) { e <- replace(0 * p, i, h); (8 * (gradient(f, p + e) - gradient(f, p - e)) - (gradient(f, p + 2 * e) - gradient(f, p - 2 * e))) / (12 * h) }); (H + t(H)) / 2 }
climb <- function(f, p) { p <- optim(p, f, method = "BFGS", control = list(maxit = 2000, reltol = 1e-15))$par; for (i in 1:3) { H <- hessian(f, p); p <- p - solve(H, gradient(f, p)) }; list(p = p, H = hessian(f, p)) }
show <- function(p, V, k) { o <- unpack(p); post <- exp(joint(p)) * rep(w, each = nrow(X)); post <- post / rowSums(post); e <- drop(post %*% theta)
  at <- function(j) (j - 1) * K + 1:K
  info <- function(j, t) { h <- 1e-5; a <- o[[j]]$a; P <- function(t) { up <- c(1, plogis(a * t + o[[j]]$d), 0); up[-(K + 1)] - up[-1] }; D <- (8 * (P(t + h) - P(t - h)) - (P(t + 2 * h) - P(t - 2 * h))) / (12 * h); sum(D^2 / P(t)) }
  list(logLik = -ll(p), AIC = 2 * ll(p) + 2 * k, BIC = 2 * ll(p) + k * log(nrow(X)), a = num(sapply(o, `[[`, "a")), d = lapply(o, function(z) num(z$d)), b = lapply(o, function(z) num(-z$d / z$a)),
    a_se = num(sapply(1:J, function(j) sqrt(V[at(j)[1], at(j)[1]]))), d_se = lapply(1:J, function(j) num(sqrt(diag(V)[at(j)[-1]]))),
    b_se = lapply(1:J, function(j) num(sapply(2:K, function(i) { g <- c(o[[j]]$d[i - 1] / o[[j]]$a^2, -1 / o[[j]]$a); v <- V[at(j)[c(1, i)], at(j)[c(1, i)]]; sqrt(drop(t(g) %*% v %*% g)) }))),
    eap = num(e), sd = num(sqrt(drop(post %*% theta^2) - e^2)), info = lapply(1:J, function(j) num(sapply(-3:3, function(t) info(j, t))))) }
free <- climb(ll, start); one <- climb(function(q) equal(q), c(1, matrix(start, K)[-1, ])); 
D <- matrix(0, J * K, 1 + J * (K - 1)); for (j in 1:J) { D[(j - 1) * K + 1, 1] <- 1; for (i in 2:K) D[(j - 1) * K + i, 1 + (j - 1) * (K - 1) + i - 1] <- 1 }
expected <- list(free = show(free$p, solve(free$H), J * K), equal = show(spread(one$p), D %*% solve(one$H) %*% t(D), ncol(D)))
writeLines(toJSON(list(id = "grm", data = "cfa_04_bfi_wlsmv.csv", r_version = R.version.string, packages = list(stats = "4.2.2"), r_call = "grm.R", expected = expected), digits = I(15), auto_unbox = TRUE), "grm.json")
print(max(abs(gradient(ll, free$p)))); print(free$p[1:12]); print(max(abs(gradient(equal, one$p))))
