"""Images resized, cropped and cut into patches."""
