/* rt/ctx/ctx_x86_64.S - the bottom of every stack on x86-64: where its first switch arrives. */
#ifdef __x86_64__
	.text
	.globl	weft__ctx_entry
	.hidden	weft__ctx_entry
	.type	weft__ctx_entry, @function
	.p2align 4
/* Stack: argument, function.  There is no caller: unwinders by CFI stop at the undefined return address, those by frame
   pointers at the zero. */
weft__ctx_entry:
	.cfi_startproc
	.cfi_undefined rip
	endbr64
	xorl	%ebp, %ebp
	popq	%rdi
	popq	%rax
	call	*%rax
	ud2 /* the function must not return */
	.cfi_endproc
	.size	weft__ctx_entry, . - weft__ctx_entry

/* Ready for indirect branch tracking (every target of a switch is an endbr64), not for shadow stacks (a switch does not
   change the shadow stack): the linker marks a program with what all of its parts can do. */
#if defined(__CET__) && (__CET__ & 1)
	.section .note.gnu.property, "a", @note
	.p2align 3
	.long	4
	.long	16
	.long	5
	.asciz	"GNU"
	.long	0xc0000002
	.long	4
	.long	1
	.long	0
#endif
#endif
	.section .note.GNU-stack, "", %progbits
