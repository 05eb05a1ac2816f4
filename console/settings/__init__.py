"""The realm's settings: who may come in, how long things last, language and looks."""
