/**
 * Which system calls of a machine are refused, and which are handed to the storage helper. In the words of lxc.container.conf(5).
 *
 * Invariant: what is handed over by mistake goes on in the kernel unchanged, and what a machine hides from this filter (the upper half
 * of a number, another architecture's calls) is at most what an unprivileged container may do anyway. The one exception are a loop
 * device's own requests, which the kernel answers to whoever may write it: those are refused in every disguise.
 */
const WORD = 0xffffffffn
const [ENOSYS, ENOTTY] = [38, 25]

/** Requests that the helper serves: EXT4_IOC_RESIZE_FS, XFS_IOC_FSGROWFSDATA, FITRIM, BLKFLSBUF, BLKBSZSET, BLKRRPART, BLKPG. */
const SERVED = [0x40086610n, 0x4010586en, 0xc0185879n, 0x1261n, 0x40081271n, 0x125fn, 0x1269n]
/** MS_BIND, MS_MOVE and the propagation types: of these mounts the helper has nothing to do. */
const ELSEWHERE = 0x1e3000n
/** Some programs begin the flags with this still; then the upper half of them means nothing. */
const [MAGIC, MAGIC_MASK] = [0xc0ed0000n, 0xffff0000n]

const masked = (argument: number, value: bigint, mask: bigint): string => `[${argument},${value},SCMP_CMP_MASKED_EQ,${mask}]`

export const seccompProfile = ['2', 'denylist', '[all]', 'reject_force_umount',
  ...['kexec_load', 'open_by_handle_at', 'init_module', 'finit_module', 'delete_module'].map(name => `${name} errno ${ENOSYS}`),
  // mount(8) then does it the old way, in one call that says all.
  ...['fsopen', 'fspick'].map(name => `${name} errno ${ENOSYS}`),
  `mount notify ${masked(3, 0n, ELSEWHERE)}`,
  `mount notify ${masked(3, MAGIC, MAGIC_MASK | 0x3000n)}`,
  ...SERVED.map(request => `ioctl notify ${masked(1, request, WORD)}`),
  // LOOP_* and LOOP_CTL_*: 0x4C00 to 0x4CFF.
  `ioctl errno ${ENOTTY} ${masked(1, 0x4c00n, 0xffffff00n)}`,
].join('\n')
