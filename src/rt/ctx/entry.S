/* rt/ctx/entry.S - the bottom of every stack: where its first switch arrives.
 *
 * The stack holds the argument and the function.  There is no caller: unwinders by CFI stop at the undefined return
 * address, those by frame pointers at the zero.
 *
 * The function is jumped to, with a return address that unwinders find here.  As it never returns, a call would be one
 * more than there are returns, and processors predict these by the calls before them: those of whoever goes on next,
 * mostly who has made this context, would all be predicted one off.
 */
	.text
	.globl	weft__ctx_entry
	.hidden	weft__ctx_entry
	.p2align 4

#if defined(__x86_64__)

	.type	weft__ctx_entry, @function
weft__ctx_entry:
	.cfi_startproc
	.cfi_undefined rip
	endbr64
	xorl	%ebp, %ebp
	popq	%rdi
	popq	%rax
	leaq	1f(%rip), %rcx
	pushq	%rcx
	jmp	*%rax
	nop /* unwinders look for the call in front of a return address */
1:	ud2 /* the function must not return */
	.cfi_endproc
	.size	weft__ctx_entry, . - weft__ctx_entry

/* Ready for indirect branch tracking (every target of a switch is an endbr64), not for shadow stacks (a switch does not
 * change the shadow stack): the linker marks a program with what all of its parts can do. */
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

#elif defined(__aarch64__)

	.type	weft__ctx_entry, %function
weft__ctx_entry:
	.cfi_startproc
	.cfi_undefined x30
	hint	#38 /* bti jc */
	ldp	x0, x16, [sp], #16
	mov	x29, xzr
	adr	x30, 1f
	br	x16
	nop /* unwinders look for the call in front of a return address */
1:	brk	#1 /* the function must not return */
	.cfi_endproc
	.size	weft__ctx_entry, . - weft__ctx_entry

/* The same here: branch targets, not the guarded control stack. */
#if defined(__ARM_FEATURE_BTI_DEFAULT)
	.section .note.gnu.property, "a", %note
	.p2align 3
	.word	4
	.word	16
	.word	5
	.asciz	"GNU"
	.word	0xc0000000
	.word	4
	.word	1
	.word	0
#endif

#endif
	.section .note.GNU-stack, "", %progbits
