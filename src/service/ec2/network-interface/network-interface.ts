/** An elastic network interface: what it is. Its device on the host is a port of the network plan (vpc/). */
export type Attachment = {
  id: string
  instance: string
  deviceIndex: number
  deleteOnTermination: boolean
  /** ISO 8601. */
  time: string
}
export type Address = {
  private: string
  primary: boolean
  /** The public address in front of it: Amazon's own until the instance stops, or an Elastic IP (`allocation`). */
  public?: { address: string; allocation?: string; association?: string }
}
export type Spec = {
  vpc: string
  subnet: string
  zone: string
  /** The engine's number for the port; claimed in scope 'port-index', key the number. */
  index: number
  mac: string
  /** Claimed in scope `fabric/${vpc}`. */
  fabric: string
  addresses: Address[]
  groups: string[]
  description: string
  sourceDestCheck: boolean
  /** IP time-to-live of metadata answers; the instance's HttpPutResponseHopLimit. */
  metadataHopLimit: number
  attachment?: Attachment
}
export type Status = { state: 'available' | 'in-use' }
