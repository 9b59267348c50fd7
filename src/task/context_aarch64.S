/* SPDX-License-Identifier: MIT */
/*
 * The context switch for AArch64, AAPCS64: x19 to x30, d8 to d15 and FPCR lie on the old stack. FPCR is
 * written only where it differs, for that is slow. It ends in `ret`, which BTI lets go anywhere.
 */
        .text
        .globl  ga__context_swap
        .hidden ga__context_swap
        .type   ga__context_swap, %function
        .p2align 5
ga__context_swap:
        .cfi_startproc
        hint    #34                     /* bti c */
        sub     sp, sp, #176
        .cfi_adjust_cfa_offset 176
        stp     x19, x20, [sp, #0]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        .cfi_rel_offset x19, 0
        .cfi_rel_offset x20, 8
        .cfi_rel_offset x21, 16
        .cfi_rel_offset x22, 24
        .cfi_rel_offset x23, 32
        .cfi_rel_offset x24, 40
        .cfi_rel_offset x25, 48
        .cfi_rel_offset x26, 56
        .cfi_rel_offset x27, 64
        .cfi_rel_offset x28, 72
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mrs     x9, fpcr
        str     x9, [sp, #160]
        mov     x10, sp
        str     x10, [x0]
        ldr     x11, [x1]
        mov     sp, x11
        ldr     x12, [sp, #160]
        cmp     x9, x12
        b.eq    1f
        msr     fpcr, x12
1:      ldp     d14, d15, [sp, #144]
        ldp     d12, d13, [sp, #128]
        ldp     d10, d11, [sp, #112]
        ldp     d8, d9, [sp, #96]
        ldp     x29, x30, [sp, #80]
        ldp     x27, x28, [sp, #64]
        ldp     x25, x26, [sp, #48]
        ldp     x23, x24, [sp, #32]
        ldp     x21, x22, [sp, #16]
        ldp     x19, x20, [sp, #0]
        add     sp, sp, #176
        .cfi_adjust_cfa_offset -176
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore x29
        .cfi_restore x30
        ret
        .cfi_endproc
        .size   ga__context_swap, .-ga__context_swap

/* A new context arrives here: entry in x19, its argument in x20. The outermost frame. */
        .globl  ga__context_start
        .hidden ga__context_start
        .type   ga__context_start, %function
        .p2align 4
ga__context_start:
        .cfi_startproc
        .cfi_undefined x30
        hint    #36                     /* bti j */
        mov     x0, x20
        mov     x29, xzr
        mov     x30, xzr
        blr     x19
        brk     #1
        .cfi_endproc
        .size   ga__context_start, .-ga__context_start

        .section .note.GNU-stack, "", %progbits

        .section .note.gnu.property, "a"
        .p2align 3
        .long   4
        .long   16
        .long   5
        .asciz  "GNU"
        .long   0xc0000000              /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
        .long   4
        .long   1                       /* BTI */
        .long   0
