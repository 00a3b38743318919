"""A user's own module as torch.fx sees it, made continual."""
