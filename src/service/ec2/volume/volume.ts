/** An EBS volume: what it is. */
export type Attachment = { instance: string; device: string; deleteOnTermination: boolean; time: string; root: boolean }
export type Spec = {
  zone: string
  sizeGiB: number
  type: 'gp2' | 'gp3' | 'io1' | 'io2' | 'st1' | 'sc1' | 'standard'
  iops?: number
  /** MiB/s, gp3 only. */
  throughput?: number
  snapshot?: string
  /** What it is a copy of: an image or a disk of the engine's. */
  from?: { image: string } | { disk: string }
  desired: 'present' | 'absent'
  attachment?: Attachment
}
export type Status = { state: 'creating' | 'available' | 'in-use' | 'deleting' | 'error' }
