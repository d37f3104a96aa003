/** What the engine counts at ports: a part of its port (port.ts). */

/** `isPartial`: there were more flows than the kernel had room to count. */
export type FlowsSeen = { flows: FlowCount[]; isPartial: boolean }
/** Packets of one flow at one port: that passed the filters, or that they stopped. Ports are 0 where the protocol has none. */
export type FlowCount = {
  port: string
  direction: 'in' | 'out'
  accepted: boolean
  source: string
  destination: string
  protocol: number
  sourcePort: number
  destinationPort: number
  packets: number
  bytes: number
}

/**
 * As the machine sees it: `in` is what it received. Counters begin at 0 with each device, which comes anew when a router was lost. The kernel
 * hands large pieces of a connection on as one packet: there are fewer packets than on a wire; the bytes are all there.
 */
export type PortTraffic = { bytesIn: number; bytesOut: number; packetsIn: number; packetsOut: number }
