"""The operator's way out of a realm that he visits."""
