/**
 * PuTTY's private key file, version 2, unencrypted: what `KeyFormat=ppk` hands out. AWS does not say which version it writes;
 * version 2 is read by every PuTTY since 0.52, version 3 only since 0.75.
 *
 * Source: PuTTY manual, appendix C ("PPK file format"). The MAC's key without a passphrase is the SHA-1 of a fixed text.
 */
import { createHash, createHmac } from 'node:crypto'
import { str } from '#service/ec2/key-pair/ssh-wire'

const ENCRYPTION = 'none'

function section(title: string, bytes: Buffer): string[] {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return [`${title}: ${lines.length}`, ...lines]
}

/** The file's text. `secret` holds the private numbers as SSH strings, in the order that PuTTY wants for the algorithm. */
export function writePpk(algorithm: string, { blob, secret, comment }: { blob: Buffer; secret: Buffer; comment: string }): string {
  const macKey = createHash('sha1').update('putty-private-key-file-mac-key').digest()
  const signed = Buffer.concat([str(algorithm), str(ENCRYPTION), str(comment), str(blob), str(secret)])
  const lines = [
    `PuTTY-User-Key-File-2: ${algorithm}`, `Encryption: ${ENCRYPTION}`, `Comment: ${comment}`,
    ...section('Public-Lines', blob), ...section('Private-Lines', secret),
    `Private-MAC: ${createHmac('sha1', macKey).update(signed).digest('hex')}`,
  ]
  return lines.join('\r\n') + '\r\n'
}
