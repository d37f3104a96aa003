/** An Amazon Machine Image: what it is. */
export type Spec = {
  name: string
  description: string
  architecture: 'x86_64' | 'arm64'
  /** The engine's image that its root volume is copied from. */
  image: string
  /** The snapshot id shown in its block device mapping. */
  snapshot: string
  rootSizeGiB: number
  rootDevice: string
  /** Alias of the owner: Enclume's own images are Amazon's, as a user of EC2 expects. */
  owner: 'amazon' | 'self'
  public: boolean
  imdsSupport?: 'v2.0'
  /** Whom ssh lets in; shown in the description. */
  user: string
}
export type Status = { state: 'available' | 'deregistered' }
