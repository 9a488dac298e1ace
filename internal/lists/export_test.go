package lists

// PlainText is plainText, for tests.
var PlainText = plainText
