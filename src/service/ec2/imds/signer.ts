/**
 * Who signs identity documents: a key and its self-signed certificate, and the three signatures that IMDS serves.
 *
 * AWS (EC2 User Guide, "Instance identity documents" and "Verify the identity document"): `signature` is the base64 of an
 * RSA-SHA256 signature of the document; `rsa2048` a PKCS#7 over SHA-256 by an RSA key; `pkcs7` the same with AWS's DSA key and SHA-1.
 * Enclume has one RSA key: its `pkcs7` is verified by the same certificate as `rsa2048`, which is said here because AWS has two.
 */
import {
  createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject,
} from 'node:crypto'
import { bits, field, integer, nothing, octets, oid, sequence, set, time, utf8 } from '#base/der'

/** As kept in the Home, PEM texts. `privateKey` is secret. */
export type SignerFiles = { privateKey: string; certificate: string }
export type Signer = { key: KeyObject; certificate: X509Certificate }
export type Signatures = { signature: string; pkcs7: string; rsa2048: string }

const OID = {
  sha256: '2.16.840.1.101.3.4.2.1', rsa: '1.2.840.113549.1.1.1', rsaSha256: '1.2.840.113549.1.1.11',
  data: '1.2.840.113549.1.7.1', signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3', messageDigest: '1.2.840.113549.1.9.4', signingTime: '1.2.840.113549.1.9.5',
  organisation: '2.5.4.10', commonName: '2.5.4.3',
}
const algorithm = (name: string): Buffer => sequence(oid(name), nothing)
const YEARS = 100

/** What the signer is called, in its own certificate and in each signature. */
const issuer = (): Buffer => sequence(
  set(sequence(oid(OID.organisation), utf8('Enclume'))),
  set(sequence(oid(OID.commonName), utf8('Enclume instance identity'))),
)

/** A new key and certificate. Made once for a Home and kept, so that users can verify documents with the certificate. */
export function createSigner(now: Date): SignerFiles {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const until = new Date(now)
  until.setUTCFullYear(until.getUTCFullYear() + YEARS)
  const serial = randomBytes(16)
  serial[0]! = (serial[0]! & 0x7f) | 0x40
  const body = sequence(
    field(0, integer(2)), integer(serial), algorithm(OID.rsaSha256), issuer(), sequence(time(now), time(until)), issuer(),
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const der = sequence(body, algorithm(OID.rsaSha256), bits(sign('sha256', body, privateKey)))
  return { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, certificate: new X509Certificate(der).toString() }
}

/** Opens the kept files; throws where they are no key and certificate, or not of each other. */
export function openSigner({ privateKey, certificate }: SignerFiles): Signer {
  const signer = { key: createPrivateKey(privateKey), certificate: new X509Certificate(certificate) }
  const ofKey = signer.certificate.publicKey.equals(createPublicKey(signer.key))
  if (!ofKey) throw new Error('the identity certificate is not of its private key')
  return signer
}

/** PKCS#7 SignedData (RFC 2315, RFC 5652) holding the document, as AWS's `pkcs7` and `rsa2048` do. */
function signedData(document: Buffer, { key, certificate }: Signer, now: Date): Buffer {
  const attributes = [
    sequence(oid(OID.contentType), set(oid(OID.data))),
    sequence(oid(OID.signingTime), set(time(now))),
    sequence(oid(OID.messageDigest), set(octets(createHash('sha256').update(document).digest()))),
  ]
  // Signed as a SET, sent as [0]: the content is the same, in the SET's order.
  const signed = set(...attributes)
  const signerInfo = sequence(
    integer(1), sequence(issuer(), integer(Buffer.from(certificate.serialNumber, 'hex'))), algorithm(OID.sha256),
    field(0, ...attributes.sort(Buffer.compare)), algorithm(OID.rsa), octets(sign('sha256', signed, key)),
  )
  return sequence(oid(OID.signedData), field(0, sequence(
    integer(1), set(algorithm(OID.sha256)), sequence(oid(OID.data), field(0, octets(document))),
    field(0, certificate.raw), set(signerInfo),
  )))
}

const lines = (base64: string, columns: number): string => base64.replace(new RegExp(`.{${columns}}(?=.)`, 'g'), '$&\n')

/** The signatures of one document, as IMDS answers them: base64 in lines, without PEM's first and last line. */
export function signDocument(document: string, signer: Signer, now: Date): Signatures {
  const bytes = Buffer.from(document)
  const pkcs7 = lines(signedData(bytes, signer, now).toString('base64'), 64)
  return { signature: lines(sign('sha256', bytes, signer.key).toString('base64'), 64), pkcs7, rsa2048: pkcs7 }
}
