/** Whose a fabric address is: the network makes it true, so that it says who asks whatever a request says. */
import { contains, parseIp } from '#base/cidr'
import type { Home } from '#base/home'
import { networkInterface, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import type { Reader } from '#store/store'

/** The address says the VPC's number, and the claim on it which interface has it. */
export async function interfaceAt(reader: Reader, home: Home, address: string): Promise<InterfaceRow | undefined> {
  const ip = parseIp(address)
  if (ip === undefined || !contains(home.fabricRange, ip)) return undefined
  const network = await reader.holder('network-index', String(Math.floor((ip - home.fabricRange.base) / 4096)))
  const id = network === undefined ? undefined : await reader.holder(`${network}/fabric`, address)
  return id === undefined ? undefined : networkInterface.find(reader, id)
}
