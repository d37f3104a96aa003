/**
 * In which states what is allowed. The server's actions and the console's buttons both go by these tables; what else an action asks (whether
 * a volume is attached, whose an image is) it asks by itself.
 *
 * Sources: EC2 User Guide, "Instance state changes" and "Change the instance type"; EBS User Guide, "Volume state"; VPC Peering Guide,
 * "VPC peering connection lifecycle"; API Reference, NatGateway and NetworkInterface.
 */
type Rules = Readonly<Record<string, readonly string[]>>

export const instances = {
  connect: ['running'],
  start: ['stopped'],
  stop: ['running'],
  reboot: ['running', 'pending'],
  terminate: ['pending', 'running', 'stopping', 'stopped'],
  changeType: ['stopped'],
  image: ['running', 'stopped'],
  /** An instance profile, and so its role, is given. */
  profile: ['pending', 'running', 'stopped'],
  replaceRoot: ['running'],
  /** Volumes, interfaces and addresses come and go. */
  attach: ['running', 'stopped'],
} as const satisfies Rules

export const volumes = {
  attach: ['available', 'in-use'],
  detach: ['in-use'],
  modify: ['available', 'in-use'],
  snapshot: ['available', 'in-use'],
  delete: ['available', 'error'],
} as const satisfies Rules

export const snapshots = { use: ['completed'], lock: ['pending', 'completed'] } as const satisfies Rules
export const images = { launch: ['available'], switch: ['available', 'disabled'] } as const satisfies Rules
export const interfaces = { attach: ['available'], detach: ['in-use'], delete: ['available'] } as const satisfies Rules
export const natGateways = { delete: ['pending', 'available'], addresses: ['available'] } as const satisfies Rules

export const peerings = {
  accept: ['pending-acceptance'],
  reject: ['pending-acceptance'],
  delete: ['pending-acceptance', 'provisioning', 'active'],
  options: ['active'],
} as const satisfies Rules

/** Whether a state is one of these. */
export const isIn = (states: readonly string[], state: string): boolean => states.includes(state)
