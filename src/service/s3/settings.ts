/** What a bucket's owner has set, each as the wire's structure for it; absent where it was never set. */
import type { CORSRule, LifecycleRule, PublicAccessBlockConfiguration, WebsiteConfiguration } from '@aws-sdk/client-s3'

export type Settings = {
  versioning?: 'Enabled' | 'Suspended'
  tags?: Record<string, string>
  publicAccess?: PublicAccessBlockConfiguration
  cors?: CORSRule[]
  lifecycle?: LifecycleRule[]
  website?: WebsiteConfiguration
  policy?: string
}
