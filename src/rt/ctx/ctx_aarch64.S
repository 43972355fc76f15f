/* rt/ctx/ctx_aarch64.S - the bottom of every stack on arm64: where its first switch arrives. */
#ifdef __aarch64__
	.text
	.globl	weft__ctx_entry
	.hidden	weft__ctx_entry
	.type	weft__ctx_entry, %function
	.p2align 4
/* Stack: argument, function.  There is no caller: unwinders by CFI stop at the undefined return address, those by frame
   pointers at the zero. */
weft__ctx_entry:
	.cfi_startproc
	.cfi_undefined x30
	hint	#38 /* bti jc */
	ldp	x0, x16, [sp], #16
	mov	x29, xzr
	mov	x30, xzr
	blr	x16
	brk	#1 /* the function must not return */
	.cfi_endproc
	.size	weft__ctx_entry, . - weft__ctx_entry
#endif
	.section .note.GNU-stack, "", %progbits
