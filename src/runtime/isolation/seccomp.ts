/**
 * The filter of system calls behind `seccompProfile: RuntimeDefault`: what reaches into the kernel and no usual program
 * needs is answered with "operation not permitted". Classic BPF (seccomp(2)); one comparison for each call.
 */
const calls: Readonly<Record<"x64" | "arm64", readonly number[]>> = {
  // acct add_key bpf clock_adjtime clock_settime create_module delete_module finit_module get_kernel_syms
  // init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl
  // lookup_dcookie mount move_pages name_to_handle_at nfsservctl open_by_handle_at perf_event_open pivot_root
  // process_vm_readv process_vm_writev quotactl reboot request_key setns settimeofday swapoff swapon _sysctl sysfs
  // umount2 unshare uselib userfaultfd ustat vhangup, and the newer calls to mount
  x64: [
    163, 248, 321, 305, 227, 174, 176, 313, 177, 175, 426, 427, 425, 173, 172, 312, 320, 246, 250, 212, 165, 279, 303,
    180, 304, 298, 155, 310, 311, 179, 169, 249, 308, 164, 168, 167, 156, 139, 166, 272, 134, 323, 136, 153, 428, 429,
    430, 431, 432, 433, 442,
  ],
  arm64: [
    89, 217, 280, 266, 112, 106, 273, 105, 426, 427, 425, 272, 294, 104, 219, 18, 40, 239, 264, 42, 265, 241, 41, 270,
    271, 60, 142, 218, 268, 170, 225, 224, 39, 97, 282, 58, 428, 429, 430, 431, 432, 433, 442,
  ],
};

/** AUDIT_ARCH of the calls that the numbers above are of. Calls of another kind (32-bit, x32) are refused whole. */
const auditArchitecture = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;
const x32Bit = 0x40000000;

const load = 0x20; // BPF_LD | BPF_W | BPF_ABS
const jumpEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const jumpAtLeast = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const answer = 0x06; // BPF_RET | BPF_K
const allow = 0x7fff0000;
const notPermitted = 0x00050001; // SECCOMP_RET_ERRNO | EPERM

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, value: number];

/** Undefined for an architecture that is not known here. */
export function seccompFilter(architecture: string): Buffer | undefined {
  if (architecture !== "x64" && architecture !== "arm64") return undefined;
  const refused = calls[architecture];
  const program: Instruction[] = [
    [load, 0, 0, 4], // seccomp_data.arch
    [jumpEqual, 1, 0, auditArchitecture[architecture]],
    [answer, 0, 0, notPermitted],
    [load, 0, 0, 0], // seccomp_data.nr
    [jumpAtLeast, refused.length + 1, 0, x32Bit],
    // Each jumps to the refusal behind the last comparison and the allowance.
    ...refused.map((call, index): Instruction => [jumpEqual, refused.length - index, 0, call]),
    [answer, 0, 0, allow],
    [answer, 0, 0, notPermitted],
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, jumpTrue, jumpFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  }
  return bytes;
}
