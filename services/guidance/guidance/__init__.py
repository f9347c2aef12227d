"""What the public sees: lots near a point, with their last reported free berths."""
