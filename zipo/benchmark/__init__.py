"""The benchmark: which methods are compared, running them, their scores, and the leaderboard."""
