"""What every console page stands on: navigation, palette, views, lists, fragments, colors, form rendering."""
