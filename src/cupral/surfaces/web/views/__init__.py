"""Views: what each page shows; they ask queries and arrange the answers."""
