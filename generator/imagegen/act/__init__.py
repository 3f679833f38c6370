"""The only effects: folders on the disk, git, and container engines."""
