"""What a data team wants to be told of a day: pure functions over tables, rows for what is odd."""
