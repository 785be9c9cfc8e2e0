"""What runs methods: environments, processes, and the exchange of files with them."""
