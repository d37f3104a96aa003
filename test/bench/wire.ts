/**
 * What the wire costs: `node test/bench/wire.ts`. Encoding a thousand instances against the SDK's own XML serialiser, verifying a signature
 * against the SDK's signing it, decoding RunInstances against the SDK's writing it, each in the same run.
 *
 * Figures are the best of many rounds, so that a busy machine disturbs them least.
 */
import * as ec2 from '@aws-sdk/client-ec2'
import { XmlShapeSerializer } from '@aws-sdk/core/protocols'
import { Sha256 } from '@smithy/core/checksum'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import { protocolFor } from '#wire/protocol'
import { isRefusal, matches, readSignature, type Signed } from '#wire/sigv4'
import { openRandom, valueOf } from '../fuzz/random.ts'
import { openTripper } from '../fuzz/roundtrip.ts'
import { subjects } from '../fuzz/services.ts'

const { service } = subjects.ec2
const protocol = protocolFor(service)

/** Milliseconds a call takes in the best round. */
function best(run: () => unknown, { rounds, calls }: { rounds: number; calls: number }): number {
  let least = Infinity
  for (let i = 0; i < rounds; i++) {
    const started = performance.now()
    for (let j = 0; j < calls; j++) run()
    least = Math.min(least, (performance.now() - started) / calls)
  }
  return least
}

/** The same of what has to be awaited. */
async function bestAwaited(run: () => Promise<unknown>, { rounds, calls }: { rounds: number; calls: number }): Promise<number> {
  let least = Infinity
  for (let i = 0; i < rounds; i++) {
    const started = performance.now()
    for (let j = 0; j < calls; j++) await run()
    least = Math.min(least, (performance.now() - started) / calls)
  }
  return least
}

const beside = (ours: number, theirs: number): string => `; the SDK's ${(theirs * 1000).toFixed(1)} us; ratio ${(ours / theirs).toFixed(2)}`

function encodeInstances(): void {
  const operation = service.operations.get('DescribeInstances')!
  const instanceShape = operation.output.byName.get('Reservations')!.target.value!.target.byName.get('Instances')!.target.value!.target
  const random = openRandom(1)
  const Reservations = Array.from({ length: 1000 }, (_, i) => ({
    ReservationId: `r-${i}`, OwnerId: '123456789012', Instances: [valueOf(instanceShape, random, { depth: 3 })],
  }))
  const ours = () => protocol.encode(service, { operation, output: { Reservations }, requestId: 'request-1' }).body as string
  const sdk = new XmlShapeSerializer({
    xmlNamespace: service.xmlns, serviceNamespace: 'com.amazonaws.ec2', timestampFormat: { default: 5, useTrait: true },
  } as ConstructorParameters<typeof XmlShapeSerializer>[0])
  const theirs = () => {
    sdk.write(ec2.DescribeInstancesResult$ as never, { Reservations })
    return sdk.flush()
  }
  const [mine, other] = [best(ours, { rounds: 15, calls: 1 }), best(theirs, { rounds: 8, calls: 1 })]
  console.log(`DescribeInstances x 1000, ${(ours().length / 1e6).toFixed(1)} MB: ${mine.toFixed(1)} ms; `
    + `the SDK's serialiser ${other.toFixed(1)} ms (${String(theirs()).length / 1e6} MB); ratio ${(mine / other).toFixed(2)}`)
}

async function verifySignature(body: Buffer): Promise<void> {
  const signer = new SignatureV4({
    service: 'ec2', region: 'us-east-1', sha256: Sha256, credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
  })
  const headers = { 'host': '127.0.0.1', 'content-type': 'application/x-www-form-urlencoded' }
  const sign = () => signer.sign(new HttpRequest({ method: 'POST', hostname: '127.0.0.1', path: '/', headers, body }))
  const made = await sign()
  const lower = Object.fromEntries(Object.entries(made.headers).map(([name, value]) => [name.toLowerCase(), value]))
  const request: Signed = { method: 'POST', path: '/', query: '', headers: lower, body }
  const verify = () => {
    const signature = readSignature(request)
    if (isRefusal(signature) || !matches(request, signature, 'secret')) throw new Error('the signature does not hold')
  }
  const verified = best(verify, { rounds: 40, calls: 200 })
  console.log(`SigV4, ${body.length} bytes: verified in ${(verified * 1000).toFixed(1)} us`
    + beside(verified, await bestAwaited(sign, { rounds: 20, calls: 100 })))
}

const Tags = Array.from({ length: 10 }, (_, i) => ({ Key: `key ${i}`, Value: `value é ${i}` }))
const input: ec2.RunInstancesCommandInput = {
  ImageId: 'ami-0123456789abcdef0', InstanceType: 't3.micro', MinCount: 1, MaxCount: 1, KeyName: 'key', UserData: 'IyEvYmluL3No'.repeat(20),
  BlockDeviceMappings: [{ DeviceName: '/dev/sda1', Ebs: { VolumeSize: 8, VolumeType: 'gp3', DeleteOnTermination: true } }],
  NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: 'subnet-0123456789abcdef0', Groups: ['sg-1', 'sg-2'], AssociatePublicIpAddress: true }],
  MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2 },
  TagSpecifications: [{ ResourceType: 'instance', Tags }],
}
const { requestOf } = openTripper(subjects.ec2)
const write = async () => (await requestOf(service.operations.get('RunInstances')!, input)).body
const body = await write()
encodeInstances()
await verifySignature(body)
const decoding = best(() => protocol.decode(service, { method: 'POST', path: '/', query: '', headers: {}, body }), { rounds: 40, calls: 200 })
console.log(`RunInstances, ${body.length} bytes: decoded in ${(decoding * 1000).toFixed(1)} us`
  + beside(decoding, await bestAwaited(write, { rounds: 20, calls: 50 })))
