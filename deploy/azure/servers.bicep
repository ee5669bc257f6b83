// The identity, network interfaces and virtual machines of main.bicep.
param location string
param subnetId string
param addresses array
param sshKey string
param packageUrl string
param size string

var cloudInit = replace(loadTextContent('cloud-init.yaml'), 'PACKAGE_URL', packageUrl)

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-pldns'
  location: location
}

resource nics 'Microsoft.Network/networkInterfaces@2024-05-01' = [
  for (address, i) in addresses: {
    name: 'nic-pldns-${i + 1}'
    location: location
    properties: {
      // The servers ask Azure's resolver themselves, not the servers of their virtual network, which they are.
      dnsSettings: { dnsServers: ['168.63.129.16'] }
      ipConfigurations: [
        {
          name: 'primary'
          properties: {
            privateIPAllocationMethod: 'Static'
            privateIPAddress: address
            subnet: { id: subnetId }
          }
        }
      ]
    }
  }
]

resource machines 'Microsoft.Compute/virtualMachines@2024-07-01' = [
  for (address, i) in addresses: {
    name: 'vm-pldns-${i + 1}'
    location: location
    zones: [string(i + 1)]
    identity: {
      type: 'UserAssigned'
      userAssignedIdentities: { '${identity.id}': {} }
    }
    properties: {
      hardwareProfile: { vmSize: size }
      securityProfile: {
        securityType: 'TrustedLaunch'
        uefiSettings: { secureBootEnabled: true, vTpmEnabled: true }
      }
      storageProfile: {
        imageReference: { publisher: 'Debian', offer: 'debian-13', sku: '13-gen2', version: 'latest' }
        osDisk: { createOption: 'FromImage', managedDisk: { storageAccountType: 'Premium_LRS' } }
      }
      osProfile: {
        computerName: 'pldns-${i + 1}'
        adminUsername: 'pldnsadmin'
        customData: base64(cloudInit)
        linuxConfiguration: {
          disablePasswordAuthentication: true
          ssh: { publicKeys: [{ path: '/home/pldnsadmin/.ssh/authorized_keys', keyData: sshKey }] }
        }
      }
      networkProfile: { networkInterfaces: [{ id: nics[i].id }] }
    }
  }
]

output principalId string = identity.properties.principalId
