"""The dashboard's data -> its pages: HTML and SVG that are whole without a script. Pure."""
