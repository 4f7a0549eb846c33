"""What revision files call: ``env`` and its methods."""
