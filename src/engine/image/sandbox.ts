/** Works on a file system that somebody else filled, by sandbox.py: nothing of the host is within its reach. */
import { join } from 'node:path'
import { run } from '#engine/disk/run'

export const SANDBOX = join(import.meta.dirname, 'sandbox.py')

/** A raw file with a file system, an empty directory on which it is mounted out of sight, and a folder of certificates to trust. */
export type Target = { file: string; point: string; trusted: string }

type Verb = 'extract' | 'setup' | 'fit'

/** When this process dies, however it does, so does all that runs in there: nothing stays behind that holds the mount. */
export const inSandbox = ({ file, point }: Omit<Target, 'trusted'>, verb: Verb, args: string[]): Promise<string> => run('setpriv', [
  '--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--ipc', '--uts',
  '/usr/bin/python3', '-I', SANDBOX, file, point, verb, ...args])
