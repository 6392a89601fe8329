"""The pages of a report: static HTML that opens from the disk and asks the network for nothing."""
