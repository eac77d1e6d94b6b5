"""The study on the server: built from final submissions, judged in the browser, closed, revealed."""
