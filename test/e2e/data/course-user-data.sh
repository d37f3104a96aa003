#!/bin/bash
yum update -y
yum install -y nodejs
mkdir /home/ec2-user/myapp
cd /home/ec2-user/myapp
npm init -y
npm install express
cat > index.js <<EOF
const express = require('express');
const app = express();
app.get('/', (req, res) => {
  res.send('Hello World from EC2!');
});
app.listen(80, () => {
  console.log('Server running on port 80');
});
EOF
node index.js
