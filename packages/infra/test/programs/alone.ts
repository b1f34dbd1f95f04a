/** A program with a single component, as a user would write it. */
import * as pulumi from '@pulumi/pulumi'
import { type ComponentName, make } from './components.ts'

const config = new pulumi.Config()
make(config.require<ComponentName>('component'), 'alone', config.requireObject('args'))
