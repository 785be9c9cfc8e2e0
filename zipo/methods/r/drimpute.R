package <- "DrImpute"

denoise <- function(counts, seed, threads) {
  size_factors <- colMeans(counts) # normalised by these and log(x + 1), as in the package's vignette
  logs <- log(sweep(counts, 2, size_factors, "/") + 1)
  imputed <- DrImpute::DrImpute(logs, seed = seed)
  sweep(pmax(exp(imputed) - 1, 0), 2, size_factors, "*")
}
