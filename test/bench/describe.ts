/**
 * What DescribeInstances of a thousand costs over HTTP, from the signed request to the last byte, on the fake engine, against the
 * SDK's own XML serialiser writing the same answer, in the same run: `node test/bench/describe.ts`. Best of many rounds.
 */
import * as ec2 from '@aws-sdk/client-ec2'
import { XmlShapeSerializer } from '@aws-sdk/core/protocols'
import { Sha256 } from '@smithy/core/checksum'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import { keys, openServer } from '../conformance/server.ts'

const [COUNT, BATCH, ROUNDS] = [1000, 100, 15]

async function best(run: () => unknown): Promise<number> {
  let least = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now()
    await run()
    least = Math.min(least, performance.now() - started)
  }
  return least
}

const server = await openServer({ fake: { cpus: 2 * COUNT, memoryMiB: 1024 * COUNT } })
try {
  const client = server.ec2()
  const ImageId = (await client.send(new ec2.DescribeImagesCommand({}))).Images![0]!.ImageId!
  for (let made = 0; made < COUNT; made += BATCH) {
    await client.send(new ec2.RunInstancesCommand({ ImageId, InstanceType: 't3.nano', MinCount: BATCH, MaxCount: BATCH }))
  }
  await server.cloud.loop.idle()
  const { Reservations } = await client.send(new ec2.DescribeInstancesCommand({}))
  const instances = Reservations!.flatMap(reservation => reservation.Instances!)
  if (instances.length !== COUNT || instances.some(instance => instance.State!.Name !== 'running')) throw new Error('they do not all run')

  const signer = new SignatureV4({ service: 'ec2', region: 'us-east-1', sha256: Sha256, credentials: keys })
  const { host, hostname, port } = new URL(server.url)
  const body = 'Action=DescribeInstances&Version=2016-11-15'
  const headers = { host, 'content-type': 'application/x-www-form-urlencoded' }
  const signed = await signer.sign(new HttpRequest({ method: 'POST', protocol: 'http:', hostname, port: Number(port), path: '/', headers, body }))
  let bytes = 0
  const ours = async () => {
    const response = await fetch(server.url, { method: 'POST', headers: signed.headers, body })
    if (response.status !== 200) throw new Error(await response.text())
    bytes = (await response.arrayBuffer()).byteLength
  }
  const sdk = new XmlShapeSerializer({
    xmlNamespace: 'http://ec2.amazonaws.com/doc/2016-11-15', serviceNamespace: 'com.amazonaws.ec2', timestampFormat: { default: 5, useTrait: true },
  } as ConstructorParameters<typeof XmlShapeSerializer>[0])
  const theirs = () => {
    sdk.write(ec2.DescribeInstancesResult$ as never, { Reservations })
    return sdk.flush()
  }
  const [mine, other] = [await best(ours), await best(theirs)]
  console.log(`DescribeInstances x ${COUNT} over HTTP, ${(bytes / 1e6).toFixed(1)} MB: ${mine.toFixed(1)} ms; `
    + `the SDK's serialiser alone ${other.toFixed(1)} ms; ratio ${(mine / other).toFixed(2)}`)
} finally {
  await server.close()
}
