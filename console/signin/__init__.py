"""How people come in: methods, providers, passwords and limits, second factor, messages, attributes."""
