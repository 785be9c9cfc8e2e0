"""Downloads: requests that go on where they were cut off, checks, and the lock file."""
