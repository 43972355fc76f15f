// Prints src/fmt/printable.def: the code points beyond ASCII that Go's strconv.IsPrint calls printable, as ranges.
//
//	go run tools/gen_printable.go > src/fmt/printable.def
package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

func main() {
	fmt.Printf("/* fmt/printable.def - the characters from U+0080 on that strconv.Quote of Go 1.27 leaves as they are (strconv.IsPrint,\n")
	fmt.Printf(" * Unicode %s): RANGE(first, last), in order.  Made by tools/gen_printable.go; do not edit.\n */\n", strings.TrimSuffix(unicode.Version, ".0"))
	first, col := rune(-1), 0
	for r := rune(0x80); r <= unicode.MaxRune+1; r++ {
		printable := r <= unicode.MaxRune && strconv.IsPrint(r)
		switch {
		case printable && first < 0:
			first = r
		case !printable && first >= 0:
			fmt.Printf("RANGE(0x%x, 0x%x)", first, r-1)
			first = -1
			if col++; col%5 == 0 {
				fmt.Println()
			} else {
				fmt.Print(" ")
			}
		}
	}
	fmt.Println("\n#undef RANGE")
}
