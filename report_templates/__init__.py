"""What a reader sees: pages, partials, styles, fonts, mail and message catalogues."""
