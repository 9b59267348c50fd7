/* SPDX-License-Identifier: MIT */
/*
 * The context switch for x86-64, System V ABI: what a callee must preserve lies on the old stack, the new stack
 * gives its own back. The FP control words are loaded only where they differ, for that is slow. It ends in `ret`:
 * nearly all switches are made at one place, ga__suspend, so the return-address predictor, which follows calls
 * and not stacks, is right about this return, and stays aligned with the ones that follow. (An indirect jump leaves it one
 * entry behind: measured, 28 ns a yield instead of 17.)
 */
        .text
        .globl  ga__context_swap
        .hidden ga__context_swap
        .type   ga__context_swap, @function
        .p2align 5
ga__context_swap:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movl    (%rsp), %eax
        movzwl  4(%rsp), %edx
        movq    %rsp, (%rdi)
        movq    (%rsi), %rsp
        cmpl    (%rsp), %eax
        jne     1f
2:      cmpw    4(%rsp), %dx
        jne     3f
4:      addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret
        .cfi_adjust_cfa_offset 56
        .cfi_rel_offset %rbp, 48
        .cfi_rel_offset %rbx, 40
        .cfi_rel_offset %r12, 32
        .cfi_rel_offset %r13, 24
        .cfi_rel_offset %r14, 16
        .cfi_rel_offset %r15, 8
1:      ldmxcsr (%rsp)
        jmp     2b
3:      fldcw   4(%rsp)
        jmp     4b
        .cfi_endproc
        .size   ga__context_swap, .-ga__context_swap

/* A new context arrives here by the return above: entry in r12, its argument in r13. The outermost frame. */
        .globl  ga__context_start
        .hidden ga__context_start
        .type   ga__context_start, @function
        .p2align 4
ga__context_start:
        .cfi_startproc
        .cfi_undefined %rip
        endbr64
        movq    %r13, %rdi
        xorl    %ebp, %ebp
        callq   *%r12
        ud2
        .cfi_endproc
        .size   ga__context_start, .-ga__context_start

        .section .note.GNU-stack, "", @progbits

        /* The object may run with indirect-branch tracking. It does not claim shadow-stack support, since a switch would
         * break it: a process that links it runs without. */
        .section .note.gnu.property, "a", @note
        .p2align 3
        .long   4
        .long   16
        .long   5
        .asciz  "GNU"
        .long   0xc0000002
        .long   4
        .long   1
        .long   0
