/**
 * What makes a copied root file system a different machine: no machine id, no host keys, no host name.
 *
 * Invariant: the file system is a guest's and may be hostile: no link of it is followed and nothing of it is run, so nothing
 * outside the mount point is touched.
 */
import { closeSync, constants, lstatSync, openSync, readdirSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants

const isDirectory = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** `root` is where it is mounted; nobody else may be using it. Does nothing where there is no system in it. */
export function clearIdentity(root: string): void {
  const etc = join(root, 'etc')
  // lstat says "directory" only for a real one, so a link in the place of /etc or /etc/ssh ends the matter.
  if (!isDirectory(etc)) return
  const machineId = join(etc, 'machine-id')
  if (lstatSync(machineId, { throwIfNoEntry: false })) {
    unlinkSync(machineId)
    // Empty, not absent: systemd then makes a new one without taking the boot for the very first.
    closeSync(openSync(machineId, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o444))
  }
  rmSync(join(etc, 'hostname'), { force: true })
  const ssh = join(etc, 'ssh')
  if (!isDirectory(ssh)) return
  for (const name of readdirSync(ssh)) if (/^ssh_host_.*_key(\.pub)?$/.test(name)) unlinkSync(join(ssh, name))
}
