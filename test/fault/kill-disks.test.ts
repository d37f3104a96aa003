import { killTests } from './kill.ts'
import { diskStories } from './stories.ts'

killTests(diskStories)
