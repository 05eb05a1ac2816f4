"""Views of lists that people save: tabs above each list, dialogs to keep them, and a page of all."""
